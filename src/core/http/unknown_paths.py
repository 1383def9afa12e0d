"""The 404 of unknown paths under `/api/`."""

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt

from core.http.error_responses import build_error_response


@csrf_exempt
def unknown_path(request: HttpRequest) -> HttpResponse:
    """Respond with a JSON 404, which names the right path if only the final slash is missing."""
    with_slash = f"{request.path_info}/"
    if not request.path_info.endswith("/") and _is_known(with_slash):
        return build_error_response(404, f"Paths end in a slash here: {with_slash}")
    return build_error_response(404, "There is nothing at this path.")


def _is_known(path: str) -> bool:
    try:
        match = resolve(path)
    except Resolver404:
        return False
    # The root of the API has a name, but no operation.
    return match.func is not unknown_path and match.url_name != "api-root"
