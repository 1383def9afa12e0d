"""What stands in front of every page of the portal: what no page takes, and a database that does not answer."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.encoding import escape_uri_path

from core.http.error_responses import SENTENCES

UNREADABLE = "This address or form holds a character that no text has. Go back and write it anew."

logger = logging.getLogger(__name__)


class GateMiddleware:
    """Refuses texts that no database takes, wherever a request to the portal has them, before a view reads them.

    Where the database is away, or a query took too long, the answer is a plain page that says so.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.prefix = reverse("admin:index")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not self._is_ours(request):
            return self.get_response(request)
        if _is_unreadable([request.path_info, *_texts(request.GET), *request.COOKIES.values()]):
            return _page(400, UNREADABLE)
        try:
            # Asks the database who it is, for all that comes after.
            _ = request.user.is_authenticated
        except (OperationalError, InterfaceError) as error:
            return _unavailable(request, error)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponseBase | None:
        if self._is_ours(request) and _is_unreadable([*_texts(request.POST), *_texts(request.FILES)]):
            return _page(400, UNREADABLE)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        if self._is_ours(request) and isinstance(error, OperationalError | InterfaceError):
            return _unavailable(request, error)
        return None

    def _is_ours(self, request: HttpRequest) -> bool:
        return request.path_info.startswith(self.prefix)


def _texts(fields: Any) -> Iterable[str]:
    """The names of all fields and what they hold; of a file, what it is called."""
    for name, values in fields.lists():
        yield name
        yield from (str(getattr(value, "name", value)) for value in values)


def _is_unreadable(texts: Iterable[str]) -> bool:
    return any("\x00" in text or any("\ud800" <= each <= "\udfff" for each in text) for text in texts)


def _unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("%s %s: the database did not answer", request.method, escape_uri_path(request.path), exc_info=error)
    response = _page(503, SENTENCES[503])
    response["Retry-After"] = "5"
    return response


def _page(status: int, sentence: str) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", status=status, content_type="text/plain; charset=utf-8")
