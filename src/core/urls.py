from django.apps import apps
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from core.admin.members.passwords import change_own_password
from core.api import api
from core.http.unknown_paths import unknown_path

# Pages outside the API and the portal: prefix, the app that must be installed, module of URLs.
PAGES = [("unsubscribe/", "modules.notifications", "modules.notifications.unsubscribing")]

urlpatterns = [
    path("", RedirectView.as_view(url="/api/docs")),
    # Replaces the view of Django's admin, which does not allow another form.
    path("admin/password_change/", admin.site.admin_view(change_own_password, cacheable=True)),
    path("admin/", admin.site.urls),
    path("api/", api.urls),
    re_path(r"^api(?:/.*)?$", unknown_path),
    *(path(prefix, include(urls)) for prefix, app, urls in PAGES if apps.is_installed(app)),
]
