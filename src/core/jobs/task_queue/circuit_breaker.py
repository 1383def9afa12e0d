"""A circuit breaker, so that callers do not wait for a service that does not respond."""

import threading
from datetime import datetime, timedelta

from core.time import clock


class CircuitBreaker:
    """Closed while calls succeed. Once opened it blocks calls for `pause`, then lets one caller try. Thread-safe."""

    def __init__(self, *, pause: timedelta) -> None:
        self.pause = pause
        self._lock = threading.Lock()
        self._opened_at: datetime | None = None

    def allows_call(self) -> bool:
        """Whether the caller may try. It then reports the result by `close` or `open`."""
        with self._lock:
            if self._opened_at is None:
                return True
            now = clock.now()
            # An opening in the future was recorded by a clock that has been corrected since.
            if self._opened_at <= now < self._opened_at + self.pause:
                return False
            # Half-open: the others stay blocked until this caller reports.
            self._opened_at = now
            return True

    def open(self) -> None:
        """Report that a call has failed."""
        with self._lock:
            self._opened_at = clock.now()

    def close(self) -> None:
        """Report that a call has succeeded."""
        with self._lock:
            self._opened_at = None
