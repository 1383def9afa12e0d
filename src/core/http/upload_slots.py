"""Limits on concurrent uploads, since each occupies a thread and a temporary file."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from core.errors import TooManyAtOnce, Unavailable

# By all members together.
MAX_UPLOADS_PER_PROCESS = 100

_lock = threading.Lock()
_running: Counter[int] = Counter()


@contextmanager
def upload_slot(member_id: int) -> Iterator[None]:
    """Occupy a slot of this process while an upload is read and stored.

    Raises `TooManyAtOnce` beyond UPLOADS_MAX_AT_ONCE_PER_MEMBER of one member, and `Unavailable` beyond
    MAX_UPLOADS_PER_PROCESS.
    """
    with _lock:
        if _running[member_id] >= settings.UPLOADS_MAX_AT_ONCE_PER_MEMBER:
            raise TooManyAtOnce(
                f"You have {_running[member_id]} uploads on their way, and more at once are not taken. "
                "Send this file when one of them has arrived."
            )
        if _running.total() >= MAX_UPLOADS_PER_PROCESS:
            raise Unavailable("Too many files are on their way just now. Try again later.")
        _running[member_id] += 1
    try:
        yield
    finally:
        with _lock:
            _running[member_id] -= 1
            # A `Counter` keeps entries of zero.
            if not _running[member_id]:
                del _running[member_id]
