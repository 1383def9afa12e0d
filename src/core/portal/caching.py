"""Caching of values that take long to compute, with the time when they were computed."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar, cast

from django.core.cache import cache

from core.time import clock

Value = TypeVar("Value")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class CachedValue(Generic[Value]):
    """A value, and when it was computed."""

    value: Value
    as_of: datetime


def cached(key: str, compute: Callable[[], Value], *, at_most: timedelta) -> CachedValue[Value]:
    """Return the cached value if it is younger than `at_most`; otherwise compute and cache it.

    The key has to contain everything that the value depends on, rights included: readers with the same key share it. If
    the cache fails, the value is computed each time.
    """
    now = clock.now()
    found = _read(key)
    # Checked here too, since the clock of the cache's machine may differ.
    if found is not None and timedelta(0) <= now - found.as_of < at_most:
        return cast(CachedValue[Value], found)
    fresh = CachedValue(value=compute(), as_of=now)
    try:
        cache.set(key, fresh, timeout=at_most.total_seconds())
    except Exception:
        logger.exception("Cannot write %s to the cache", key)
    return fresh


def _read(key: str) -> CachedValue[object] | None:
    try:
        found = cache.get(key)
    except Exception:
        logger.exception("Cannot read %s from the cache", key)
        return None
    return found if isinstance(found, CachedValue) else None
