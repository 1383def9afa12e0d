"""What is answered under `/api/` where there is nothing."""

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt

from core.http.error_responses import error_response


@csrf_exempt
def unknown_path(request: HttpRequest) -> HttpResponse:
    """404 in the contract's shape, naming the right path where only the final slash is missing."""
    with_slash = f"{request.path_info}/"
    if not request.path_info.endswith("/") and _is_known(with_slash):
        return error_response(404, f"Paths end in a slash here: {with_slash}")
    return error_response(404, "There is nothing at this path.")


def _is_known(path: str) -> bool:
    try:
        match = resolve(path)
    except Resolver404:
        return False
    # The root of the API is a name without an operation behind it.
    return match.func is not unknown_path and match.url_name != "api-root"
