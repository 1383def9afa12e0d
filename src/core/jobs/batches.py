"""Processing due rows in batches, by any number of workers at once."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, connection, transaction
from django.db.models import Model, QuerySet

from core.database.locking import lock_batch

Row = TypeVar("Row", bound=Model)

logger = logging.getLogger(__name__)


def process_in_batches(
    due: "Callable[[], QuerySet[Row]]", handle: Callable[[Row], object], *, size: int = 20, limit: int = 5000
) -> int:
    """Handle the rows that are due, in batches that are locked and committed together; return how many were handled.

    `due` is evaluated for each batch, and `handle` must change a row so that it is no longer due. Rows that another
    worker has locked are skipped. A row that fails does not affect the others and is left for the next run. Stops after
    about `limit` rows, so that no run takes forever.
    """
    handled = 0
    failed: set[int] = set()
    # Rows of a batch that could not be committed: they are handled one by one, so that the faulty one fails alone.
    remaining_one_by_one = 0
    while handled + len(failed) < limit:
        rows: list[Row] = []
        started = time.monotonic()
        try:
            with transaction.atomic():
                rows = lock_batch(due().exclude(pk__in=failed), size=1 if remaining_one_by_one else size)
                rejected = {row.pk for row in rows if not _try_to_handle(row, handle)}
        except DatabaseError:
            if not rows:
                raise
            # Deferred constraints (a dangling reference) are checked at the commit: handling the rows one by one shows
            # which of them is at fault.
            if len(rows) > 1:
                remaining_one_by_one = len(rows)
                continue
            logger.exception("%s %s could not be committed", type(rows[0]).__name__, rows[0].pk)
            rejected = {rows[0].pk}
        failed |= rejected
        handled += len(rows) - len(rejected)
        if len(rows) < (1 if remaining_one_by_one else size):
            break
        remaining_one_by_one = max(remaining_one_by_one - 1, 0)
        _yield_to_other_writers(time.monotonic() - started)
    return handled


def _try_to_handle(row: Row, handle: Callable[[Row], object]) -> bool:
    try:
        with transaction.atomic():
            handle(row)
    except Exception:
        logger.exception("%s %s could not be handled", type(row).__name__, row.pk)
        return False
    return True


def _yield_to_other_writers(seconds: float) -> None:
    """On SQLite, which has one writer at a time and no queue for it, pause for as long as the lock was held."""
    if not connection.features.has_select_for_update_skip_locked:
        time.sleep(seconds)
