"""`count/next/previous/results` pages (docs/contract.md, "Pages")."""

from typing import Any, TypedDict

from django.http import HttpRequest

from core.errors import NotFound


class Page(TypedDict):
    count: int
    next: str | None
    previous: str | None
    results: list[Any]


def page_bounds(*, page: int, page_size: int, count: int) -> slice:
    """The rows of a page, counted from 1. Raises `NotFound` past the end; the first page is there even when empty."""
    first = (page - 1) * page_size
    if page > 1 and first >= count:
        raise NotFound("There is no such page.")
    return slice(first, first + page_size)


def page_of(request: HttpRequest, *, page: int, page_size: int, count: int, results: list[Any]) -> Page:
    """The page with absolute links to its neighbours, which keep every other parameter of the query."""
    return {
        "count": count,
        "next": address_with(request, page=page + 1) if page * page_size < count else None,
        "previous": address_with(request, page=page - 1) if page > 1 else None,
        "results": results,
    }


def address_with(request: HttpRequest, **parameters: object) -> str:
    """The address of the request, absolute, with these parameters in the place of what it says there."""
    query = request.GET.copy()
    for name, value in parameters.items():
        query[name] = str(value)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
