"""A list is sorted by what an index has in order: for anything else, each page sorts a hundred thousand rows."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.templatetags.admin_list import result_headers
from django.test import Client
from tests.core.portal.conftest import list_of
from tests.core.portal.rows import rows_of
from tests.core.portal.test_query_counts import LABELS

# What superusers wrote, and what the code names.
SHORT = {"auth.group", "core.sweep", "learning_sessions.reasontemplate"}


def indexed(model: Any) -> Iterator[str]:
    """The fields that come first in an index over all rows."""
    for field in model._meta.concrete_fields:
        if field.primary_key or field.unique or field.db_index:
            yield field.name
    for index in model._meta.indexes:
        if index.condition is None:
            yield index.fields[0].lstrip("-")


def orders(change_list: Any) -> list[str]:
    """What the list can be sorted by."""
    columns = [column for column in change_list.list_display if column != "action_checkbox"]
    headers = [header for header in result_headers(change_list) if "action-checkbox" not in header["class_attrib"]]
    assert len(columns) == len(headers)
    names = [column for column, header in zip(columns, headers, strict=True) if header["sortable"]]
    return [str(change_list.get_ordering_field(name)).removesuffix("__id") for name in names]


@pytest.mark.parametrize("label", [label for label in LABELS if label not in SHORT])
def test_a_list_that_grows_is_sorted_by_what_has_an_index(admin: Client, label: str) -> None:
    rows_of(label).make(1)
    change_list: Any = admin.get(list_of(label)).context["cl"]

    assert set(orders(change_list)) <= {"id", "pk", *indexed(change_list.model)}


@pytest.mark.parametrize("tab", ["waiting", "soon", "edited", "cancelled", "all"])
def test_so_is_every_tab_of_the_queue(admin: Client, tab: str) -> None:
    change_list: Any = admin.get(list_of("learning_sessions.session", tab=tab)).context["cl"]

    assert "date" in orders(change_list)
    assert set(orders(change_list)) <= {"date", "created_at"}
