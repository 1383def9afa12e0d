"""Working off what is due, by any number of workers at once."""

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
    """Handle the rows that are due, in batches that are locked and committed together; returns how many were handled.

    `due` is asked anew for each batch, and `handle` has to see to it that a row is due no longer. Rows that another
    worker holds are passed over. One that fails costs the others nothing and is left for the next time. Stops after
    about `limit` rows, so that no turn takes forever.
    """
    handled = 0
    failed: set[int] = set()
    # Handled one at a time, since whichever of them it is would take the others along.
    suspects = 0
    while handled + len(failed) < limit:
        rows: list[Row] = []
        began = time.monotonic()
        try:
            with transaction.atomic():
                rows = lock_batch(due().exclude(pk__in=failed), size=1 if suspects else size)
                refused = {row.pk for row in rows if not _handled(row, handle)}
        except DatabaseError:
            if not rows:
                raise
            # What they wrote may be refused as late as at the commit (a dangling reference): whose fault it was shows
            # when each is handled by itself.
            if len(rows) > 1:
                suspects = len(rows)
                continue
            logger.exception("%s %s could not be committed", type(rows[0]).__name__, rows[0].pk)
            refused = {rows[0].pk}
        failed |= refused
        handled += len(rows) - len(refused)
        if len(rows) < (1 if suspects else size):
            break
        suspects = max(suspects - 1, 0)
        _let_others_write(time.monotonic() - began)
    return handled


def _handled(row: Row, handle: Callable[[Row], object]) -> bool:
    try:
        with transaction.atomic():
            handle(row)
    except Exception:
        logger.exception("%s %s could not be handled", type(row).__name__, row.pk)
        return False
    return True


def _let_others_write(seconds: float) -> None:
    """Where there is one writer at a time, and no queue for it, stay away for as long as the others were kept out."""
    if not connection.features.has_select_for_update_skip_locked:
        time.sleep(seconds)
