"""Row locks that any number of workers can share."""

from typing import TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)


def lock_batch(rows: "QuerySet[Row]", *, size: int) -> list[Row]:
    """Return up to `size` of the rows, locked until the transaction ends; locked rows are skipped.

    SQLite has no row locks: its transactions begin as IMMEDIATE and so exclude every other writer.
    """
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    return list(rows[:size])
