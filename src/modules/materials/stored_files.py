"""Keeping rows and bytes in step.

A row is committed before its bytes are written and deleted after they are, so that whenever a process dies there is a
row from which the sweep finds what was left behind. Giving bytes up is final: a row that was released is never linked.
"""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.core.files.storage import storages
from django.db import transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce
from huey.contrib.djhuey import db_task

from core import clock
from core.locking import locked_batch
from core.sweeps.turns import STALE
from modules.materials.models import StoredFile
from modules.materials.uploads import Upload

logger = logging.getLogger(__name__)

# No upload takes as long as this from its row to its material.
UNLINKED_FOR = timedelta(hours=1)
# A deletion that failed, or whose process died, is tried again after this.
PAUSE = timedelta(minutes=5)


class NoLongerThere(RuntimeError):
    """The sweep has given up a file before a material could have it."""


@contextmanager
def stored(upload: Upload) -> Iterator[StoredFile]:
    """Bytes in place, for the block to `link` to its material in a transaction of its own.

    A block that raises, or that does not link the file, leaves neither row nor bytes. Inside somebody else's
    transaction that is no longer so: its rollback takes the row away and leaves the bytes.
    """
    now = clock.now()
    with transaction.atomic():
        file = StoredFile.objects.create(
            name=_new_name(),
            size=upload.size,
            content_type=upload.content_type,
            sha256=upload.sha256,
            created_at=now,
            sweep_at=now + UNLINKED_FOR,
        )
    try:
        _write(file, upload)
        yield file
    finally:
        _discard_unless_linked(file)


def link(file: StoredFile) -> None:
    """Keep the bytes: call it in the transaction that gives them to a material. Raises `NoLongerThere`."""
    if not StoredFile.objects.filter(pk=file.pk, released_at=None).update(sweep_at=None):
        raise NoLongerThere(file.name)


def release(identifiers: list[int]) -> None:
    """Give the bytes up in the transaction that takes them from their materials; they go once it has committed."""
    now = clock.now()
    StoredFile.objects.filter(pk__in=identifiers).update(released_at=now, sweep_at=now)
    for identifier in identifiers:
        _delete_after_commit(identifier)


@db_task(expires=STALE)  # type: ignore[untyped-decorator]
def delete_released(identifier: int) -> None:
    """Delete the bytes of one file that was given up, then its row. Twice is fine."""
    for file in _claimed(StoredFile.objects.filter(pk=identifier, released_at__isnull=False), size=1):
        _delete(file)


def sweep(*, limit: int = 200) -> int:
    """Delete what was given up, and what never came to belong to a material; returns how many were taken up.

    Any number of workers may do so at once.
    """
    files = _claimed(StoredFile.objects.all(), size=limit)
    for file in files:
        _delete(file)
    return len(files)


def _delete_after_commit(identifier: int) -> None:
    # Robust: whoever gave the bytes up has succeeded even if the queue is down. The sweep comes by.
    transaction.on_commit(lambda: delete_released(identifier), robust=True)


def _new_name() -> str:
    # A folder holds a 256th of the files: some file systems are slow with very many in one.
    name = secrets.token_hex(20)
    return f"{name[:2]}/{name}"


def _write(file: StoredFile, upload: Upload) -> None:
    storage = storages["materials"]
    upload.content.seek(0)
    name = storage.save(file.name, upload.content)
    if name != file.name:
        # Under another name nothing would find the bytes again.
        storage.delete(name)
        raise RuntimeError(f"The storage has renamed {file.name} to {name}")


def _discard_unless_linked(file: StoredFile) -> None:
    """Asks the database, not the caller: after a connection that broke during the commit, only it can tell.

    What goes wrong here is left to the sweep, and hides nothing of what went wrong before.
    """
    now = clock.now()
    try:
        discarded = StoredFile.objects.filter(pk=file.pk, sweep_at__isnull=False).update(
            released_at=now, sweep_at=now + PAUSE
        )
        if discarded:
            _delete(file)
    except Exception:
        logger.exception("The upload %s could not be taken back; the sweep will do it", file.name)


def _claimed(rows: "QuerySet[StoredFile]", *, size: int) -> list[StoredFile]:
    """Take up to `size` of the rows that are due, so that no other worker has them until the pause is over."""
    now: datetime = clock.now()
    with transaction.atomic():
        files = locked_batch(rows.filter(sweep_at__lte=now).order_by("sweep_at", "pk"), size=size)
        StoredFile.objects.filter(pk__in=[file.pk for file in files]).update(
            released_at=Coalesce("released_at", Value(now)), sweep_at=now + PAUSE
        )
    return files


def _delete(file: StoredFile) -> None:
    try:
        storages["materials"].delete(file.name)
    except Exception:
        logger.exception("The bytes of %s were not deleted", file.name)
        return
    StoredFile.objects.filter(pk=file.pk).delete()
