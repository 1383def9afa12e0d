"""The accelerated clock of a drill, shared by all its processes."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Starts from `began_at` when the monotonic clock is at `origin`, and runs `rate` times as fast.

    All processes of a machine share its monotonic clock, so these three values give each of them the same time.
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
        """Sleep until so many seconds of the product's clock have passed since the start."""
        left = (elapsed - self.elapsed()) / self.rate
        if left > 0:
            time.sleep(left)
