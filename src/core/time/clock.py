"""The one clock of the product: nothing else asks what time it is, so that tests and drills can move it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_stopped_at: ContextVar[datetime | None] = ContextVar("stopped_at", default=None)


def _present() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _present


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return _stopped_at.get() or _source()


def set_source(source: Callable[[], datetime] | None) -> None:
    """Let this process go by another clock, which answers aware instants in UTC; by the real one for `None`."""
    global _source  # noqa: PLW0603
    _source = source or _present


@contextmanager
def freeze_at(instant: datetime) -> Iterator[None]:
    """Let everything inside happen at this instant (demo data has a past)."""
    token = _stopped_at.set(instant)
    try:
        yield
    finally:
        _stopped_at.reset(token)
