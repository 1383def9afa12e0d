from django.contrib import admin
from django.urls import path, re_path
from django.views.generic import RedirectView

from core.api import api
from core.http.unknown_paths import unknown_path

urlpatterns = [
    path("", RedirectView.as_view(url="/api/docs")),
    path("admin/", admin.site.urls),
    path("api/", api.urls),
    re_path(r"^api(?:/.*)?$", unknown_path),
]
