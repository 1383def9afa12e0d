"""The one clock of the product: nothing else asks what time it is, so that tests and drills can move it."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)
