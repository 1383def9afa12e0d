"""Plain error pages of the portal, for requests that reach no view and for errors of the database."""

import logging
import re
from collections.abc import Callable

from django.core.paginator import InvalidPage
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.encoding import escape_uri_path

from core.http.error_responses import STATUS_MESSAGES

# NUL and lone surrogates, which databases reject.
INVALID_CHARACTERS = re.compile("[\x00\ud800-\udfff]")
UNREADABLE = "This address, or a cookie, holds a character that no text has. Log in anew."

logger = logging.getLogger(__name__)


class PortalErrorMiddleware:
    """Answers 400 for invalid characters in paths and cookies, 503 if the database fails, and 404 for a missing page
    of a list.

    Views check the query string and forms themselves. The 503 is for all pages outside the API.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.prefix = reverse("admin:index")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not self._is_in_portal(request):
            return self.get_response(request)
        if any(INVALID_CHARACTERS.search(text) for text in (request.path_info, *request.COOKIES.values())):
            return _build_page(400, UNREADABLE)
        try:
            # Loads the member here, where an error of the database is caught.
            _ = request.user.is_authenticated
        except (OperationalError, InterfaceError) as error:
            return _build_unavailable_page(request, error)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        if isinstance(error, OperationalError | InterfaceError):
            return _build_unavailable_page(request, error)
        if self._is_in_portal(request) and isinstance(error, InvalidPage):
            return _build_page(404, "There is no page of this number.")
        return None

    def _is_in_portal(self, request: HttpRequest) -> bool:
        return request.path_info.startswith(self.prefix)


def _build_unavailable_page(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("%s %s: the database is unavailable", request.method, escape_uri_path(request.path), exc_info=error)
    response = _build_page(503, STATUS_MESSAGES[503])
    response["Retry-After"] = "5"
    return response


def _build_page(status: int, sentence: str) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", status=status, content_type="text/plain; charset=utf-8")
