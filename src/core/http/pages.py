"""`count/next/previous/results` pages (docs/contract.md, "Pages")."""

from typing import Any, TypedDict

from django.http import HttpRequest

from core.errors import NotFound


class Page(TypedDict):
    count: int
    next: str | None
    previous: str | None
    results: list[Any]


def get_page_slice(*, page: int, page_size: int, count: int) -> slice:
    """The slice of the rows of a page, counted from 1. Raises `NotFound` past the end, except for the first page."""
    first = (page - 1) * page_size
    if page > 1 and first >= count:
        raise NotFound("There is no such page.")
    return slice(first, first + page_size)


def build_page(request: HttpRequest, *, page: int, page_size: int, count: int, results: list[Any]) -> Page:
    """Build the page with absolute URLs of its neighbours, which keep all other query parameters."""
    return {
        "count": count,
        "next": build_url_with_query(request, page=page + 1) if page * page_size < count else None,
        "previous": build_url_with_query(request, page=page - 1) if page > 1 else None,
        "results": results,
    }


def build_url_with_query(request: HttpRequest, **parameters: object) -> str:
    """The absolute URL of the request with these query parameters replaced."""
    query = request.GET.copy()
    for name, value in parameters.items():
        query[name] = str(value)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
