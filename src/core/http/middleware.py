"""Middleware: the request id, refusals before any view, and errors in the format of the contract."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from core.http.error_responses import STATUS_MESSAGES, build_error_response
from core.http.paths import API_PREFIX
from core.http.request_body import REFUSAL
from core.monitoring import request_id

GetResponse = Callable[[HttpRequest], HttpResponseBase]
# The accepted charsets of a request. No other is looked up among Python's codecs.
CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii"})
# Stands for the charset of a content type that is not parsed: too long, or with an encoded parameter.
UNREADABLE = "*"
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
PRESERVED_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate", "X-Request-ID")


class RequestContextMiddleware:
    """Gives each request an id, which the response has as `X-Request-ID` and log lines in brackets.

    Responses without a `Cache-Control` header get one that forbids caching.
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
    """Refuses requests in another charset than UTF-8, and those whose body could not be read.

    The API reads an absent body as `{}`.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        charset = (request.content_params or {}).get("charset", "")
        if charset.strip().lower() not in CHARSETS:
            return _refuse(request, 415, "" if charset == UNREADABLE else "Send this request in UTF-8.")
        status = self._find_refusal_status(request)
        if status:
            return _refuse(request, status)
        if _is_api_request(request) and request.method in WITH_BODY and _has_no_body(request):
            request._body = b"{}"
            request.content_type = "application/json"
        return self.get_response(request)

    def _find_refusal_status(self, request: HttpRequest) -> int | None:
        if _read_content_length(request) > settings.REQUEST_MAX_BYTES:
            return 413
        status: int | None = getattr(request, "scope", {}).get(REFUSAL)
        return status


class ApiErrorMiddleware:
    """Converts Django's own error pages under `/api/` into JSON, and refuses plain HTTP where TLS is in use."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not _is_api_request(request):
            return self.get_response(request)
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            return build_error_response(403, "This API is served over https alone.")
        response = self.get_response(request)
        if response.status_code < 400 or response.get("Content-Type", "").startswith("application/json"):
            return response
        json_error = build_error_response(response.status_code)
        for header in PRESERVED_HEADERS:
            if header in response:
                json_error[header] = response[header]
        return json_error


def _is_api_request(request: HttpRequest) -> bool:
    return request.path_info.startswith(API_PREFIX)


def _has_no_body(request: HttpRequest) -> bool:
    return request.META.get("CONTENT_LENGTH") in {None, "", "0"}


def _read_content_length(request: HttpRequest) -> int:
    declared = request.META.get("CONTENT_LENGTH") or "0"
    return int(declared) if declared.isascii() and declared.isdigit() else 0


def _refuse(request: HttpRequest, status: int, message: str = "") -> HttpResponse:
    if _is_api_request(request):
        return build_error_response(status, message)
    return HttpResponse(message or STATUS_MESSAGES[status], status=status, content_type="text/plain; charset=utf-8")
