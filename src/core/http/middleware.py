"""What surrounds every request: an id, what is refused before any view, and errors in the contract's shape."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from core.http.error_responses import SENTENCES, error_response
from core.http.paths import API_PREFIX
from core.http.request_body import REFUSAL
from core.monitoring import request_id

GetResponse = Callable[[HttpRequest], HttpResponseBase]
# What a request may say that its text is encoded in; nothing is ever looked up among Python's codecs.
CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii"})
# The charset of a content type that nobody reads: one that is too long, or brings an encoding of its own.
UNREADABLE = "*"
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate", "X-Request-ID")


class RequestContextMiddleware:
    """Gives each request an id, which its answer carries as `X-Request-ID` and its log lines in brackets.

    No answer is kept on its way, by a browser or a proxy, unless it says of itself that it may be.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        identifier = request_id.begin_request()
        response = self.get_response(request)
        response["X-Request-ID"] = identifier
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class RefusalMiddleware:
    """Answers what is refused whatever is asked for: another charset than UTF-8, and a body that could not be read.

    An absent body is `{}` to the API.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        charset = (request.content_params or {}).get("charset", "")
        if charset.strip().lower() not in CHARSETS:
            return _refuse(request, 415, "" if charset == UNREADABLE else "Send this request in UTF-8.")
        status = self._refused_with(request)
        if status:
            return _refuse(request, status)
        if _is_for_the_api(request) and request.method in WITH_BODY and _has_no_body(request):
            request._body = b"{}"
            request.content_type = "application/json"
        return self.get_response(request)

    def _refused_with(self, request: HttpRequest) -> int | None:
        if _declared_length(request) > settings.REQUEST_MAX_BYTES:
            return 413
        status: int | None = getattr(request, "scope", {}).get(REFUSAL)
        return status


class ApiErrorMiddleware:
    """Turns whatever else is answered under `/api/` when something is wrong (Django's own pages) into JSON.

    Also refuses what comes in the open where there is TLS.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not _is_for_the_api(request):
            return self.get_response(request)
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            return error_response(403, "This API is served over https alone.")
        response = self.get_response(request)
        if response.status_code < 400 or response.get("Content-Type", "").startswith("application/json"):
            return response
        answer = error_response(response.status_code)
        for header in KEPT_HEADERS:
            if header in response:
                answer[header] = response[header]
        return answer


def _is_for_the_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API_PREFIX)


def _has_no_body(request: HttpRequest) -> bool:
    return request.META.get("CONTENT_LENGTH") in {None, "", "0"}


def _declared_length(request: HttpRequest) -> int:
    declared = request.META.get("CONTENT_LENGTH") or "0"
    return int(declared) if declared.isascii() and declared.isdigit() else 0


def _refuse(request: HttpRequest, status: int, message: str = "") -> HttpResponse:
    if _is_for_the_api(request):
        return error_response(status, message)
    return HttpResponse(message or SENTENCES[status], status=status, content_type="text/plain; charset=utf-8")
