"""Store and delete files so that all bytes in a storage have a row.

A row is committed before its bytes are written, and deleted after them. If a process dies in between, a periodic job
finds the row and deletes both. A file is staged, then attached to a material or released; a released file is never
attached again.
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

# Longer than any upload takes from its row to its material.
STAGING_TIMEOUT = timedelta(hours=1)
# Until a deletion that failed, or whose process died, is retried.
RETRY_DELAY = timedelta(minutes=5)
# Consecutive failures after which a storage counts as down for the rest of the run.
MAX_FAILURES = 3
CANNOT_BE_READ = "This file cannot be read just now. Try again later."
# The time budget of one run, so that the worker gets to its other jobs.
MAX_SECONDS = 30


class StagedFileExpired(RuntimeError):
    """The periodic job has released a staged file before it was attached."""


@contextmanager
def staged(upload: Upload, *, scanned: bool = False, storage_name: str = "") -> Iterator[StoredFile]:
    """Store an upload for the duration of the block, which has to `attach` it in a transaction of its own.

    `scanned`: the virus scanner found no virus. `storage_name`: by default that of new files. If the block raises or
    does not attach the file, row and bytes are deleted. Do not use it within a transaction, whose rollback would remove
    the row and leave the bytes.
    Raises `Unavailable` if the storage fails, and `Invalid` for `file` if it refuses the file.
    """
    now = clock.now()
    with transaction.atomic():
        file = StoredFile.objects.create(
            place=storage_name or get_default_storage_name(),
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
    """Open a file for reading; the caller closes it.

    Raises `NotFound` if its bytes are lost, and `Unavailable` if the storage fails or their size differs.
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
    """Point a file to the bytes of its staged copy, whose row is deleted, in a transaction that has locked the file.

    Returns a new, released row for the former bytes. Raises `StagedFileExpired` if the copy was released.
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

    Any number of workers may run it at once.
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
    # Due now, and so before the failed ones, which are due after RETRY_DELAY.
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
        # No row has the other name.
        storage.delete(name)
        raise RuntimeError(f"The storage has renamed {file.name} to {name}")


class TypedContent(File):  # type: ignore[type-arg]
    """A file for storages, with the detected content type rather than the one that the client sent."""

    def __init__(self, content: "File[bytes]", *, content_type: str) -> None:
        super().__init__(content.file, name=None)
        self.stored_as = content_type


def _discard_unless_attached(file: StoredFile, *, written: bool) -> None:
    """Delete a staged file unless the database says that it was attached: a commit may succeed and still raise.

    Errors are logged and left to the periodic job, so that they do not replace the exception of the block.
    """
    now = clock.now()
    try:
        discarded = StoredFile.objects.filter(pk=file.pk, sweep_at__isnull=False).update(
            released_at=now, sweep_at=now + RETRY_DELAY
        )
        # A remote storage that timed out may still store the bytes later: then the periodic job deletes them.
        if discarded and (written or file.place == StoredFile.Storage.LOCAL):
            _delete_file(file)
        elif written and not discarded and not StoredFile.objects.filter(name=file.name).exists():
            # It took so long that the periodic job deleted the row before the bytes were written.
            get_storage(file.place).delete(file.name)
    except Exception:
        logger.exception("The upload %s could not be deleted; the periodic job will retry", file.name)


def _claim_due(rows: "QuerySet[StoredFile]", *, size: int) -> list[StoredFile]:
    """Claim up to `size` due rows: other workers skip them until RETRY_DELAY has passed."""
    now: datetime = clock.now()
    with transaction.atomic():
        files = lock_batch(rows.filter(sweep_at__lte=now).order_by("sweep_at", "pk"), size=size)
        StoredFile.objects.filter(pk__in=[file.pk for file in files]).update(
            released_at=Coalesce("released_at", Value(now)), sweep_at=now + RETRY_DELAY
        )
    return files


def _delete_file(file: StoredFile) -> bool:
    """Delete the bytes, then the row; return whether that succeeded."""
    try:
        get_storage(file.place).delete(file.name)
    except Exception:
        logger.exception("The bytes of %s were not deleted from %s", file.name, file.place)
        return False
    StoredFile.objects.filter(pk=file.pk).delete()
    return True
