"""Lists can be sorted only by indexed columns: otherwise each page would sort the whole table."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.templatetags.admin_list import result_headers
from django.test import Client
from tests.core.portal.conftest import get_list_url
from tests.core.portal.rows import get_rows
from tests.core.portal.test_query_counts import LABELS

# Small tables, which superusers or the code fill.
SHORT = {"auth.group", "core.sweep", "learning_sessions.reasontemplate"}


def indexed(model: Any) -> Iterator[str]:
    """The first fields of all indexes without a condition."""
    for field in model._meta.concrete_fields:
        if field.primary_key or field.unique or field.db_index:
            yield field.name
    for index in model._meta.indexes:
        if index.condition is None:
            yield index.fields[0].lstrip("-")


def orders(change_list: Any) -> list[str]:
    """The fields by which the list can be sorted."""
    columns = [column for column in change_list.list_display if column != "action_checkbox"]
    headers = [header for header in result_headers(change_list) if "action-checkbox" not in header["class_attrib"]]
    assert len(columns) == len(headers)
    names = [column for column, header in zip(columns, headers, strict=True) if header["sortable"]]
    return [str(change_list.get_ordering_field(name)).removesuffix("__id") for name in names]


@pytest.mark.parametrize("label", [label for label in LABELS if label not in SHORT])
def test_growing_lists_are_sorted_only_by_indexed_columns(admin: Client, label: str) -> None:
    get_rows(label).make(1)
    change_list: Any = admin.get(get_list_url(label)).context["cl"]

    assert set(orders(change_list)) <= {"id", "pk", *indexed(change_list.model)}


@pytest.mark.parametrize("tab", ["waiting", "soon", "edited", "cancelled", "all"])
def test_the_tabs_of_sessions_are_sorted_only_by_indexed_columns(admin: Client, tab: str) -> None:
    change_list: Any = admin.get(get_list_url("learning_sessions.session", tab=tab)).context["cl"]

    assert "date" in orders(change_list)
    assert set(orders(change_list)) <= {"date", "created_at"}
