"""The only source of the current time, so that tests and the drill can change it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_frozen_at: ContextVar[datetime | None] = ContextVar("frozen_at", default=None)


def _read_system_clock() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _read_system_clock


def now() -> datetime:
    """Return the current instant, aware, in UTC."""
    return _frozen_at.get() or _source()


def set_source(source: Callable[[], datetime] | None) -> None:
    """Replace the clock of this process by a function that returns aware instants in UTC; `None` restores it."""
    global _source  # noqa: PLW0603
    _source = source or _read_system_clock


@contextmanager
def freeze_at(instant: datetime) -> Iterator[None]:
    """Freeze the clock within the context, for example for demo data in the past."""
    token = _frozen_at.set(instant)
    try:
        yield
    finally:
        _frozen_at.reset(token)
