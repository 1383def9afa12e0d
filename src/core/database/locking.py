"""Row locks that any number of workers can share."""

from typing import TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)


def lock_batch(rows: "QuerySet[Row]", *, size: int) -> list[Row]:
    """Up to `size` of the rows, locked until the transaction ends; rows that others hold are passed over.

    SQLite has no row locks: there the transaction, immediate from its start, keeps every other writer out.
    """
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    return list(rows[:size])
