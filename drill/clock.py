"""The clock of the drill: the product's minutes pass in seconds, in every process alike."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Says `began_at` at the moment `origin` of this machine's monotonic clock, and then goes `rate` times as fast.

    The monotonic clock is one for all processes of a machine, so whoever has these three numbers agrees.
    """

    began_at: datetime
    origin: float
    rate: float

    def now(self) -> datetime:
        return self.began_at + timedelta(seconds=self.elapsed())

    def elapsed(self) -> float:
        """In seconds of the product's clock."""
        return (time.monotonic() - self.origin) * self.rate

    def wait_until(self, elapsed: float) -> None:
        """Sleep until so many of the product's seconds have passed."""
        left = (elapsed - self.elapsed()) / self.rate
        if left > 0:
            time.sleep(left)
