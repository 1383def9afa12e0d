"""What each list of the admin asks of the database: as much for thirty rows as for three, and never how many there are.

A list that is new fails here until `tests/core/portal/rows.py` says how to fill it, and `COUNTS` what it costs.
"""

import re
from collections.abc import Callable
from itertools import chain
from typing import Any, NamedTuple

import pytest
from django.contrib import admin as django_admin
from django.db.models import JSONField, TextField
from django.test import Client
from django.urls import reverse
from tests.core.portal.conftest import get_export_url, get_list_url
from tests.core.portal.rows import get_rows

from core.portal.lists import PortalAdmin

FEW, MANY = 3, 30


class Counts(NamedTuple):
    """The number of queries beyond those of every page of the admin."""

    page: int
    search: int | None
    export: int


# The rows; for some, what `prepare_rows` looks up for all of them; for a search, whom rows belong to (the members, the
# sessions), too; for an export, the page of the list before, the keys of all rows, and that it is recorded.
COUNTS = {
    "auth.group": Counts(page=1, search=1, export=6),
    "core.faileddelivery": Counts(page=1, search=None, export=6),
    "core.factrecord": Counts(page=1, search=1, export=6),
    "core.login": Counts(page=1, search=2, export=6),
    "core.mail": Counts(page=1, search=2, export=6),
    "core.sweep": Counts(page=1, search=None, export=6),
    "core.user": Counts(page=1, search=1, export=6),
    "learning_sessions.bookingrequest": Counts(page=1, search=3, export=6),
    "learning_sessions.calendarfeed": Counts(page=1, search=2, export=6),
    "learning_sessions.reasontemplate": Counts(page=1, search=1, export=6),
    "learning_sessions.reminder": Counts(page=1, search=None, export=6),
    "learning_sessions.session": Counts(page=5, search=6, export=14),
    "materials.material": Counts(page=1, search=2, export=6),
    "materials.storedfile": Counts(page=1, search=2, export=6),
    "notifications.notification": Counts(page=1, search=2, export=6),
    "notifications.preference": Counts(page=1, search=2, export=6),
}

LABELS = sorted(model._meta.label_lower for model in django_admin.site._registry)


@pytest.fixture(autouse=True)
def warm_up(admin: Client) -> None:
    """Warm up caches and sessions by a first request."""
    admin.get(reverse("admin:password_change"))


@pytest.fixture
def measure_queries(admin: Client, capture_queries: Any) -> Callable[[str, str], tuple[int, list[str], Any]]:
    """Return the queries of a page beyond those of every page, and the response."""

    def of(method: str, path: str) -> tuple[int, list[str], Any]:
        frame, _ = capture_queries(lambda: admin.get(reverse("admin:password_change")))
        # An export has no sidebar.
        common = count_authentication_queries(frame) if method == "post" else len(frame)

        def visit() -> Any:
            response = getattr(admin, method)(path)
            assert response.status_code == 200, (path, response.status_code)
            if response.streaming:
                response.content_read = b"".join(response.streaming_content)
            return response

        sqls, response = capture_queries(visit)
        return len(sqls) - common, sqls, response

    return of


def count_authentication_queries(sqls: list[str]) -> int:
    """The session, and the member."""
    return sum(1 for sql in sqls if '"django_session"' in sql or ('"core_user"' in sql and "LIMIT 21" in sql))


def get_model_admin(label: str) -> Any:
    return next(each for model, each in django_admin.site._registry.items() if model._meta.label_lower == label)


def counts_without_limit(sql: str) -> bool:
    """Whether a query counts rows without a limit or a list of ids."""
    return "COUNT(" in sql and " LIMIT " not in sql and " GROUP BY " not in sql


def assert_reads_no_whole_table(sqls: list[str]) -> None:
    for sql in sqls:
        assert not counts_without_limit(sql), f"A full count: {sql}"
        if sql.startswith("SELECT") and " FROM " in sql and '"auth_' not in sql:
            assert " WHERE " in sql or " LIMIT " in sql, f"A whole table: {sql}"
            assert "SELECT DISTINCT" not in sql, f"All values of a column: {sql}"
            assert not re.search(r"\b(MIN|MAX)\(", sql) or " GROUP BY " in sql, f"The ends of a column: {sql}"


@pytest.mark.parametrize("label", LABELS)
def test_all_lists_are_portal_admins(label: str) -> None:
    assert isinstance(get_model_admin(label), PortalAdmin)
    assert label in COUNTS, f"{label} has a list in the admin, but COUNTS does not say how many queries it takes."


@pytest.mark.parametrize("label", LABELS)
def test_a_list_needs_a_constant_number_of_queries(label: str, measure_queries: Any) -> None:
    for number in (FEW, MANY):
        get_rows(label).make(number)

        queries, sqls, page = measure_queries("get", get_list_url(label))

        assert len(page.context["cl"].result_list) >= FEW
        assert queries == COUNTS[label].page, "\n".join(sqls)
        assert_reads_no_whole_table(sqls)


@pytest.mark.parametrize("label", LABELS)
def test_lists_and_exports_defer_long_texts_that_they_do_not_show(label: str, measure_queries: Any) -> None:
    get_rows(label).make(FEW)
    model_admin = get_model_admin(label)
    model = model_admin.model
    columns = {*model_admin.list_display, *model_admin.texts_in_columns}
    columns.update(chain.from_iterable(model_admin.exported_columns.get(column, ()) for column in set(columns)))
    long = [
        f'"{each._meta.db_table}"."{field.column}"'
        for each in (model, *(field.related_model for field in model._meta.concrete_fields if field.related_model))
        for field in each._meta.concrete_fields
        if isinstance(field, TextField | JSONField) and not (each is model and field.name in columns)
    ]

    for method, address in (("get", get_list_url(label)), ("post", get_export_url(label, "csv"))):
        _, sqls, _ = measure_queries(method, address)
        for sql in sqls:
            if sql.startswith("SELECT"):
                assert not [column for column in long if column in sql.partition(" FROM ")[0]], sql


@pytest.mark.parametrize("label", LABELS)
def test_the_second_page_needs_as_many_queries_as_the_first(
    label: str, measure_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, per_page in ((FEW, 2), (MANY, 5)):
        get_rows(label).make(number)
        monkeypatch.setattr(get_model_admin(label), "list_per_page", per_page)

        queries, sqls, page = measure_queries("get", get_list_url(label, p=2))

        assert page.context["cl"].result_list
        assert queries == COUNTS[label].page, "\n".join(sqls)
        assert_reads_no_whole_table(sqls)


@pytest.mark.parametrize("label", [label for label in LABELS if get_model_admin(label).search_fields])
def test_a_search_needs_a_constant_number_of_queries(
    label: str, measure_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert get_rows(label).word, f"{label} can be searched, but tests/core/portal/rows.py does not say for what."
    for number, per_page in ((FEW, 2), (MANY, 5)):
        get_rows(label).make(number)
        monkeypatch.setattr(get_model_admin(label), "list_per_page", per_page)

        for page_number in (1, 2):
            queries, sqls, page = measure_queries("get", get_list_url(label, q=get_rows(label).word, p=page_number))

            assert page.context["cl"].result_list
            assert queries == COUNTS[label].search, "\n".join(sqls)
            assert_reads_no_whole_table(sqls)


@pytest.mark.parametrize("label", LABELS)
def test_an_export_needs_a_constant_number_of_queries(label: str, measure_queries: Any) -> None:
    for number in (FEW, MANY):
        get_rows(label).make(number)

        queries, sqls, response = measure_queries("post", get_export_url(label, "csv"))

        assert response.content_read.count(b"\r\n") > FEW
        assert queries == COUNTS[label].export, "\n".join(sqls)
        assert not [sql for sql in sqls if counts_without_limit(sql)]
