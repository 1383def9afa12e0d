"""What stands in front of every page of the portal: what no page takes, and a database that does not answer."""

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

# NUL, and halves of surrogate pairs.
NO_TEXT = re.compile("[\x00\ud800-\udfff]")
UNREADABLE = "This address, or a cookie, holds a character that no text has. Log in anew."

logger = logging.getLogger(__name__)


class GateMiddleware:
    """Refuses paths and cookies with characters that no database takes; of its query and its form, each page says so.

    Where the database is away, or a query took too long, the answer is a plain page that says so; so it is for a number
    of a page that there is not, where the page that was asked for does not say it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.prefix = reverse("admin:index")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not self._is_ours(request):
            return self.get_response(request)
        if any(NO_TEXT.search(text) for text in (request.path_info, *request.COOKIES.values())):
            return _page(400, UNREADABLE)
        try:
            # Asks the database who it is, for all that comes after.
            _ = request.user.is_authenticated
        except (OperationalError, InterfaceError) as error:
            return _render_unavailable(request, error)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        # Of the other pages, too, that are read without the app.
        if isinstance(error, OperationalError | InterfaceError):
            return _render_unavailable(request, error)
        if self._is_ours(request) and isinstance(error, InvalidPage):
            return _page(404, "There is no page of this number.")
        return None

    def _is_ours(self, request: HttpRequest) -> bool:
        return request.path_info.startswith(self.prefix)


def _render_unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("%s %s: the database did not answer", request.method, escape_uri_path(request.path), exc_info=error)
    response = _page(503, STATUS_MESSAGES[503])
    response["Retry-After"] = "5"
    return response


def _page(status: int, sentence: str) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", status=status, content_type="text/plain; charset=utf-8")
