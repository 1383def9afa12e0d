"""Pagination without a count: one more row is read than a page shows, to know whether there is a next page."""

from functools import cached_property
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.paginator import EmptyPage, Page, PageNotAnInteger, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

from core.portal.ids import is_too_long
from core.portal.times import is_out_of_range

# The largest OFFSET of a database.
MAX_OFFSET = 2**63 - 1
# From this offset on, reading the primary keys first is faster.
LARGE_OFFSET = 2000


class UncountedPage(Page[Any]):
    """A page of a list, and whether there is a next one."""

    def __init__(self, object_list: Any, number: int, paginator: "UncountedPaginator", *, has_more: bool) -> None:
        super().__init__(object_list, number, paginator)
        self.has_more = has_more

    def has_next(self) -> bool:
        return self.has_more

    def next_page_number(self) -> int:
        return self.number + 1

    def previous_page_number(self) -> int:
        return self.number - 1

    def start_index(self) -> int:
        """The number of the first row in the list; 0 on an empty page."""
        return (self.number - 1) * self.paginator.per_page + 1 if self.object_list else 0

    def end_index(self) -> int:
        return (self.number - 1) * self.paginator.per_page + len(self.object_list) if self.object_list else 0


class UncountedPaginator(Paginator):  # type: ignore[type-arg]
    """Reads one more row than a page shows, instead of counting all; only `count` counts.

    A page beyond the end is empty.
    """

    template_name = "portal/pagination.html"

    def validate_number(self, number: Any) -> int:
        try:
            page_number = int(number)
        except (TypeError, ValueError):
            raise PageNotAnInteger("That page number is not an integer") from None
        if page_number < 1:
            raise EmptyPage("That page number is less than 1")
        return page_number

    def page(self, number: Any) -> UncountedPage:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        if first + self.per_page >= MAX_OFFSET:
            return UncountedPage([], number, self, has_more=False)
        rows = self._read_rows(first, first + self.per_page + 1)
        return UncountedPage(rows[: self.per_page], number, self, has_more=len(rows) > self.per_page)

    def _read_rows(self, first: int, end: int) -> list[Any]:
        if first < LARGE_OFFSET or not isinstance(self.object_list, QuerySet):
            return list(self.object_list[first:end])
        # Skipped rows are not joined then.
        keys = list(self.object_list.values_list("pk", flat=True)[first:end])
        return list(self.object_list.filter(pk__in=keys)) if keys else []

    def get_page(self, number: Any) -> UncountedPage:
        """Return the page, or the first one for an invalid number."""
        try:
            return self.page(number)
        except (PageNotAnInteger, EmptyPage):
            return self.page(1)


class UncountedChangeList(ChangeList):
    """A page of an admin list, read by one query however long the list is.

    `result_count` counts the rows up to the end of this page, and one more if it is not the last. It is not shown.
    """

    page_num: int
    page: UncountedPage

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> "QuerySet[Any]":
        """Filter the rows. Raises `IncorrectLookupParameters` also for values that a database cannot represent."""
        values = [each for texts in self.get_filters_params().values() for text in texts for each in text.split(",")]
        if any(is_too_long(each) or "\x00" in each or is_out_of_range(each) for each in values):
            raise IncorrectLookupParameters
        found: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        return found.defer(*self.model_admin.list_deferred_texts(request))

    def get_ordering(self, request: HttpRequest, queryset: "QuerySet[Any]") -> list[Any]:
        """Return the order without duplicate columns."""
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
        # Equal, so that unfold's header shows no count.
        self.full_result_count = self.result_count
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = False
        self.multi_page = self.page.has_other_pages()

    def _as_queryset(self, rows: list[Any]) -> Any:
        """Wrap the rows in a queryset, which a form set needs, without another query."""
        queryset = self.queryset[: self.list_per_page]
        queryset._result_cache = rows
        return queryset

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
    def unfiltered_url(self) -> str:
        """This list without search and filters."""
        return str(self.get_query_string(remove=[SEARCH_VAR, *self.get_filters_params()]))
