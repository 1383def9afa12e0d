"""When something that failed is tried again, and what is noted of why."""

import traceback
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.text.normalization import make_storable
from core.time import clock

FIRST_PAUSE = timedelta(minutes=1)
# Of a traceback, in characters.
LONGEST_TRACEBACK = 20_000


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often something is tried, with pauses that double from a minute on until they are the longest."""

    max_attempts: int
    max_delay: timedelta

    def next_try_at(self, attempts: int) -> datetime | None:
        """When it is tried again after so many attempts that have failed, the last just now; `None` to give up."""
        if attempts >= self.max_attempts:
            return None
        return clock.now() + min(FIRST_PAUSE * (1 << (attempts - 1)), self.max_delay)


def format_traceback(error: Exception) -> str:
    """What went wrong and where, as every database takes it."""
    return make_storable("".join(traceback.format_exception(error)), most=LONGEST_TRACEBACK)
