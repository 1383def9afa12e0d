"""Retries with exponential backoff, and tracebacks for the record."""

import traceback
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.text.normalization import make_storable
from core.time import clock

FIRST_DELAY = timedelta(minutes=1)
# In characters.
MAX_TRACEBACK_LENGTH = 20_000


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often something is tried: delays double from `FIRST_DELAY` up to `max_delay`."""

    max_attempts: int
    max_delay: timedelta

    def next_try_at(self, attempts: int) -> datetime | None:
        """Return when to retry after so many failed attempts, the last just now; `None` to give up."""
        if attempts >= self.max_attempts:
            return None
        return clock.now() + min(FIRST_DELAY * (1 << (attempts - 1)), self.max_delay)


def format_traceback(error: Exception) -> str:
    """Format an error with its traceback, shortened, without characters that a database refuses."""
    return make_storable("".join(traceback.format_exception(error)), max_length=MAX_TRACEBACK_LENGTH)
