"""Pages of a list that nobody has counted: each is read with one row more than it shows, which tells of the next."""

from functools import cached_property
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.paginator import EmptyPage, Page, PageNotAnInteger, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

from core.portal.ids import is_endless
from core.portal.times import is_beyond_time

# What a database can skip at most.
MOST_SKIPPED = 2**63 - 1
# From here on, skipping takes longer than a second query.
FAR = 2000


class UncountedPage(Page[Any]):
    """Some rows of a list, at most `per_page`, and whether there are more."""

    def __init__(self, object_list: Any, number: int, paginator: "UncountedPaginator", *, is_followed: bool) -> None:
        super().__init__(object_list, number, paginator)
        self.is_followed = is_followed

    def has_next(self) -> bool:
        return self.is_followed

    def next_page_number(self) -> int:
        return self.number + 1

    def previous_page_number(self) -> int:
        return self.number - 1

    def start_index(self) -> int:
        """The number of the first row in the list; 0 where there is none."""
        return (self.number - 1) * self.paginator.per_page + 1 if self.object_list else 0

    def end_index(self) -> int:
        return (self.number - 1) * self.paginator.per_page + len(self.object_list) if self.object_list else 0


class UncountedPaginator(Paginator):  # type: ignore[type-arg]
    """Finds out about the next page by one row more, rather than by a count of all.

    A page beyond the end is empty. Whoever asks for `count` nevertheless gets one, at its price.
    """

    template_name = "portal/pagination.html"

    def validate_number(self, number: Any) -> int:
        try:
            wanted = int(number)
        except (TypeError, ValueError):
            raise PageNotAnInteger("That page number is not an integer") from None
        if wanted < 1:
            raise EmptyPage("That page number is less than 1")
        return wanted

    def page(self, number: Any) -> UncountedPage:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        if first + self.per_page >= MOST_SKIPPED:
            return UncountedPage([], number, self, is_followed=False)
        rows = self._rows(first, first + self.per_page + 1)
        return UncountedPage(rows[: self.per_page], number, self, is_followed=len(rows) > self.per_page)

    def _rows(self, first: int, end: int) -> list[Any]:
        if first < FAR or not isinstance(self.object_list, QuerySet):
            return list(self.object_list[first:end])
        # What is skipped need not be joined to all that a row shows.
        keys = list(self.object_list.values_list("pk", flat=True)[first:end])
        return list(self.object_list.filter(pk__in=keys)) if keys else []

    def get_page(self, number: Any) -> UncountedPage:
        """The page of that number, or the first for what is no number of a page."""
        try:
            return self.page(number)
        except (PageNotAnInteger, EmptyPage):
            return self.page(1)


class UncountedChangeList(ChangeList):
    """A page of a list of the admin, read by one query however long the list is.

    `result_count` is what is known to be there: all rows up to the end of this page, and one more if it is not the
    last. Nothing on the page shows it as a total.
    """

    page_num: int
    page: UncountedPage

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> "QuerySet[Any]":
        """What no database takes for an id, a text or an instant is refused like any other filter that is none."""
        asked = [each for values in self.get_filters_params().values() for value in values for each in value.split(",")]
        if any(is_endless(each) or "\x00" in each or is_beyond_time(each) for each in asked):
            raise IncorrectLookupParameters
        found: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        return found.defer(*self.model_admin.unread_texts(request))

    def get_ordering(self, request: HttpRequest, queryset: "QuerySet[Any]") -> list[Any]:
        """Each column once, however often the address names it."""
        return list(dict.fromkeys(super().get_ordering(request, queryset)))

    def get_results(self, request: HttpRequest) -> None:
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        self.page = self.paginator.get_page(self.page_num)
        self.page_num = self.page.number
        rows = list(self.page.object_list)
        prepare = getattr(self.model_admin, "prepare_rows", None)
        if prepare is not None and rows:
            prepare(rows)
        self.result_list = self._as_queryset(rows) if self.list_editable else rows
        self.result_count = self.page.end_index() + self.page.has_next()
        # Were they different, the head of the page would show the first.
        self.full_result_count = self.result_count
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = False
        self.multi_page = self.page.has_other_pages()

    def _as_queryset(self, rows: list[Any]) -> Any:
        """The rows as what a form set takes for its rows, without another query."""
        found = self.queryset[: self.list_per_page]
        found._result_cache = rows
        return found

    @cached_property
    def previous_url(self) -> str | None:
        if not self.page.has_previous():
            return None
        return str(self.get_query_string({"p": self.page.previous_page_number()}))

    @cached_property
    def next_url(self) -> str | None:
        return str(self.get_query_string({"p": self.page.next_page_number()})) if self.page.has_next() else None

    @cached_property
    def first_url(self) -> str:
        return str(self.get_query_string({"p": 1}))

    @property
    def bare_url(self) -> str:
        """This list without what is searched for and filtered by."""
        return str(self.get_query_string(remove=[SEARCH_VAR, *self.get_filters_params()]))
