from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, path, re_path, resolve

from core.api import api
from core.health import healthz
from core.http.error_responses import error_response


def not_in_the_api(request: HttpRequest) -> HttpResponse:
    """404 for every other path under `/api/`, naming the right one where only the final slash is missing."""
    if not request.path_info.endswith("/"):
        with_slash = request.path_info + "/"
        try:
            known = resolve(with_slash).func is not not_in_the_api
        except Resolver404:
            known = False
        if known:
            return error_response(404, f"Paths end in a slash here: {with_slash}")
    return error_response(404, "There is nothing at this path.")


not_in_the_api.csrf_exempt = True  # type: ignore[attr-defined]

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("api/", api.urls),
    re_path(r"^api(/.*)?$", not_in_the_api),
]
