"""How many uploads are on their way in at once: each has a thread and a temporary file for as long as it lasts."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from core.errors import TooManyAtOnce, Unavailable

# Of one process, by whomever.
MOST_OF_A_PROCESS = 100

_lock = threading.Lock()
_running: Counter[int] = Counter()


@contextmanager
def upload_slot(member_id: int) -> Iterator[None]:
    """Held while a member's upload is read and stored by this process.

    Raises `TooManyAtOnce` for more than UPLOADS_MAX_AT_ONCE_PER_MEMBER of one member, and `Unavailable` where this
    process has as many as it takes.
    """
    with _lock:
        if _running[member_id] >= settings.UPLOADS_MAX_AT_ONCE_PER_MEMBER:
            raise TooManyAtOnce(
                f"You have {_running[member_id]} uploads on their way, and more at once are not taken. "
                "Send this file when one of them has arrived."
            )
        if _running.total() >= MOST_OF_A_PROCESS:
            raise Unavailable("Too many files are on their way just now. Try again later.")
        _running[member_id] += 1
    try:
        yield
    finally:
        with _lock:
            _running[member_id] -= 1
            # A counter keeps what is zero.
            if not _running[member_id]:
                del _running[member_id]
