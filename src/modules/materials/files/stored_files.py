"""Store and delete bytes so that each file in a storage has a row.

A row is committed before its bytes are written, and deleted after they are deleted. Whenever a process dies, the
periodic job finds the rest by its row. A file is staged, then attached to a material or released; a released file is
never attached again.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.core.files.base import File
from django.db import transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce
from huey.contrib.djhuey import db_task

from core.database.connections import release_connection
from core.database.locking import lock_batch
from core.errors import Invalid, NotFound, Unavailable
from core.jobs.periodic import WAKE_UP_EXPIRY
from core.jobs.task_queue.enqueueing import enqueue_after_commit
from core.storages import CANNOT_BE_STORED, Refused
from core.time import clock
from modules.materials.files.names import generate_name
from modules.materials.files.storages import get_default_storage_name, get_storage
from modules.materials.models import StoredFile
from modules.materials.uploads import Upload

logger = logging.getLogger(__name__)

# No upload takes as long as this from its row to its material.
STAGING_TIMEOUT = timedelta(hours=1)
# A deletion that failed, or whose process died, is tried again after this.
RETRY_DELAY = timedelta(minutes=5)
# A storage that has failed so often in a row is down: the others need not wait for it.
MAX_FAILURES = 3
CANNOT_BE_READ = "This file cannot be read just now. Try again later."
# After so long the others get their turn: the worker has more to do.
MAX_SECONDS = 30


class StagedFileExpired(RuntimeError):
    """The periodic job has released a staged file before it was attached."""


@contextmanager
def staged(upload: Upload, *, scanned: bool = False, place: str = "") -> Iterator[StoredFile]:
    """Store an upload for the block, which has to `attach` it to a material in a transaction of its own.

    `scanned`: the virus scanner has found nothing. `place`: the storage, by default that of new files. Where the block
    raises or does not attach the file, row and bytes are deleted. Do not use it inside another transaction: its
    rollback would remove the row and leave the bytes.
    Raises `Unavailable` where the storage does not take them, and `Invalid` for `file` where it cannot read them.
    """
    now = clock.now()
    with transaction.atomic():
        file = StoredFile.objects.create(
            place=place or get_default_storage_name(),
            name=generate_name(upload.content_type),
            size=upload.size,
            content_type=upload.content_type,
            sha256=upload.sha256,
            created_at=now,
            sweep_at=now + STAGING_TIMEOUT,
            scan_at=None if scanned else now,
        )
    written = False
    try:
        _write(file, upload)
        written = True
        yield file
    finally:
        _discard_unless_attached(file, written=written)


def open_file(file: StoredFile) -> "File[bytes]":
    """Open the bytes for reading; the caller closes them.

    Raises `NotFound` where they are lost, and `Unavailable` where the storage fails or their size has changed.
    """
    try:
        content = get_storage(file.place).open(file.name, "rb")
    except FileNotFoundError:
        logger.exception("The bytes of %s are not in %s", file.name, file.place)
        raise NotFound("This file is no longer there.") from None
    except Exception as error:
        logger.exception("The bytes of %s could not be read from %s", file.name, file.place)
        raise Unavailable(CANNOT_BE_READ) from error
    if content.size != file.size:
        logger.error("%s has %s bytes in %s instead of %s", file.name, content.size, file.place, file.size)
        content.close()
        raise Unavailable(CANNOT_BE_READ)
    return content


def attach(file: StoredFile) -> None:
    """Mark a staged file as attached, in the transaction that gives it to a material. Raises `StagedFileExpired`."""
    if not StoredFile.objects.filter(pk=file.pk, released_at=None).update(sweep_at=None):
        raise StagedFileExpired(file.name)


def replace_bytes(file: StoredFile, copy: StoredFile) -> StoredFile:
    """Let a file take the bytes of its staged copy, whose row is deleted, in a transaction that has locked the file.

    Returns a new, released row with the former bytes. Raises `StagedFileExpired` where the copy was released.
    """
    if not StoredFile.objects.filter(pk=copy.pk, released_at=None).delete()[0]:
        raise StagedFileExpired(copy.name)
    now = clock.now()
    former = StoredFile(
        place=file.place,
        name=file.name,
        size=file.size,
        content_type=file.content_type,
        sha256=file.sha256,
        created_at=file.created_at,
        released_at=now,
        sweep_at=now,
        scan_at=file.scan_at,
    )
    file.place, file.name = copy.place, copy.name
    file.save(update_fields=["place", "name"])
    former.save()
    enqueue_after_commit(delete_released, former.pk)
    return former


def schedule_deletion(identifiers: list[int]) -> None:
    """Release files in the transaction that deletes or changes their materials; bytes are deleted after the commit."""
    now = clock.now()
    StoredFile.objects.filter(pk__in=identifiers).update(released_at=now, sweep_at=now)
    for identifier in identifiers:
        enqueue_after_commit(delete_released, identifier)


@db_task(expires=WAKE_UP_EXPIRY)  # type: ignore[untyped-decorator]
def delete_released(identifier: int) -> None:
    """Delete the bytes of one released file, then its row. Idempotent."""
    for file in _claim_due(StoredFile.objects.filter(pk=identifier, released_at__isnull=False), size=1):
        _delete_file(file)


def delete_due_files(*, limit: int = 200) -> int:
    """Delete released files, and staged ones that were never attached; return how many were processed.

    Safe to run in several workers at once.
    """
    files = _claim_due(StoredFile.objects.all(), size=limit)
    end = time.monotonic() + MAX_SECONDS
    failures: Counter[str] = Counter()
    untried = []
    for file in files:
        if failures[file.place] == MAX_FAILURES or time.monotonic() > end:
            untried.append(file.pk)
        else:
            failures[file.place] = 0 if _delete_file(file) else failures[file.place] + 1
    # They come before those that were tried: whatever cannot be deleted holds up nobody.
    StoredFile.objects.filter(pk__in=untried, sweep_at__isnull=False).update(sweep_at=clock.now())
    return len(files) - len(untried)


def _write(file: StoredFile, upload: Upload) -> None:
    storage = get_storage(file.place)
    upload.content.seek(0)
    release_connection()
    try:
        name = storage.save(file.name, TypedContent(upload.content, content_type=file.content_type))
    except Refused as error:
        logger.warning("%s does not take the bytes of %s: %s", file.place, file.name, error)
        raise Invalid({"file": [f"The storage cannot read this file: {error}"]}) from error
    except Exception as error:
        logger.exception("The bytes of %s could not be stored in %s", file.name, file.place)
        raise Unavailable(CANNOT_BE_STORED) from error
    if name != file.name:
        # Under another name nothing would find the bytes again.
        storage.delete(name)
        raise RuntimeError(f"The storage has renamed {file.name} to {name}")


class TypedContent(File):  # type: ignore[type-arg]
    """A file for storages, with the detected content type rather than the one that the client sent."""

    def __init__(self, content: "File[bytes]", *, content_type: str) -> None:
        super().__init__(content.file, name=None)
        self.stored_as = content_type


def _discard_unless_attached(file: StoredFile, *, written: bool) -> None:
    """Asks the database, not the caller: after a connection that broke during the commit, only it can tell.

    What goes wrong here is left to the sweep, and hides nothing of what went wrong before.
    """
    now = clock.now()
    try:
        discarded = StoredFile.objects.filter(pk=file.pk, sweep_at__isnull=False).update(
            released_at=now, sweep_at=now + RETRY_DELAY
        )
        # A server that did not answer may still be about to store them: deleted now, they would come after that.
        if discarded and (written or file.place == StoredFile.Place.LOCAL):
            _delete_file(file)
        elif written and not discarded and not StoredFile.objects.filter(name=file.name).exists():
            # It took so long that the sweep has come by, found no bytes yet, and forgotten them.
            get_storage(file.place).delete(file.name)
    except Exception:
        logger.exception("The upload %s could not be taken back; the sweep will do it", file.name)


def _claim_due(rows: "QuerySet[StoredFile]", *, size: int) -> list[StoredFile]:
    """Take up to `size` of the rows that are due, so that no other worker has them until the pause is over."""
    now: datetime = clock.now()
    with transaction.atomic():
        files = lock_batch(rows.filter(sweep_at__lte=now).order_by("sweep_at", "pk"), size=size)
        StoredFile.objects.filter(pk__in=[file.pk for file in files]).update(
            released_at=Coalesce("released_at", Value(now)), sweep_at=now + RETRY_DELAY
        )
    return files


def _delete_file(file: StoredFile) -> bool:
    """Whether neither bytes nor row are there any more."""
    try:
        get_storage(file.place).delete(file.name)
    except Exception:
        logger.exception("The bytes of %s were not deleted from %s", file.name, file.place)
        return False
    StoredFile.objects.filter(pk=file.pk).delete()
    return True
