"""What surrounds every request: an id, a limit, and errors in the contract's shape."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core import context
from core.http.body_limit import BODY_TOO_LARGE
from core.http.error_responses import error_response

GetResponse = Callable[[HttpRequest], HttpResponseBase]
API_PREFIX = "/api/"
KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate", "X-Request-ID")


class RequestContextMiddleware:
    """Gives each request an id, which its answer carries as `X-Request-ID` and its log lines in brackets."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        identifier = context.begin_request()
        response = self.get_response(request)
        response["X-Request-ID"] = identifier
        return response


class ApiErrorMiddleware:
    """Turns whatever else is answered under `/api/` when something is wrong (Django's own pages) into JSON.

    Also refuses a body beyond what any operation takes, before anything reads it, and what comes in the open where
    there is TLS.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(API_PREFIX):
            return self.get_response(request)
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            return error_response(403, "This API is served over https alone.")
        if self._too_large(request):
            return error_response(413)
        response = self.get_response(request)
        if response.status_code < 400 or response.get("Content-Type", "").startswith("application/json"):
            return response
        answer = error_response(response.status_code)
        for header in KEPT_HEADERS:
            if header in response:
                answer[header] = response[header]
        return answer

    def _too_large(self, request: HttpRequest) -> bool:
        if getattr(request, "scope", {}).get(BODY_TOO_LARGE):
            return True
        declared = request.META.get("CONTENT_LENGTH") or "0"
        return declared.isdigit() and int(declared) > settings.REQUEST_MAX_BYTES
