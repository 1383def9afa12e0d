"""A circuit breaker: what keeps everybody waiting for nothing is not tried again by everybody."""

import threading
from datetime import datetime, timedelta

from core.time import clock


class CircuitBreaker:
    """Closed while all is well. Opened it stays so for `pause`; then one caller tries for all the others.

    Any number of threads may ask.
    """

    def __init__(self, *, pause: timedelta) -> None:
        self.pause = pause
        self._lock = threading.Lock()
        self._opened_at: datetime | None = None

    def allows_call(self) -> bool:
        """Whether the caller may try; it says then by `close` or `open` how that went."""
        with self._lock:
            if self._opened_at is None:
                return True
            now = clock.now()
            # An opening in the future was noted by a clock that has been put right since.
            if self._opened_at <= now < self._opened_at + self.pause:
                return False
            # The others wait for what this one finds.
            self._opened_at = now
            return True

    def open(self) -> None:
        """It has failed."""
        with self._lock:
            self._opened_at = clock.now()

    def close(self) -> None:
        """It has worked."""
        with self._lock:
            self._opened_at = None
