"""Bytes from one place to another, one file at a time, while members go on reading and writing."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO

from django.core.files.base import File
from django.db import transaction
from django.db.models import QuerySet

from modules.materials.files.places import storage_of
from modules.materials.files.stored_files import delete_released, stored, take_over
from modules.materials.models import StoredFile
from modules.materials.uploads import Upload

CHUNK = 1024 * 1024


class Damaged(ValueError):
    """Bytes that are not those which were once stored."""


def files_to_move(*, to: str) -> "QuerySet[StoredFile]":
    """What belongs to a material and lies elsewhere, in the order in which it came."""
    return StoredFile.objects.filter(sweep_at=None).exclude(place=to).order_by("pk")


def move(file: StoredFile, *, to: str) -> bool:
    """Copy a file, compare the copy, and give the bytes up where they were; false for one that is gone meanwhile.

    Whenever this ends, and however, one of both places has the bytes, and the sweep finds what the other has of them.
    Addresses here lead to the new place from then on, those at the old place end. Raises `Damaged`, `NotSetUp`,
    `Invalid`, `Unavailable` and whatever a storage raises that cannot be read.
    """
    try:
        return _move(file, to)
    except Exception:
        if not is_still_there(file):
            return False
        raise


def _move(file: StoredFile, to: str) -> bool:
    with _read(file) as content:
        upload = Upload(
            content=File(content),
            name="",
            size=file.size,
            sha256=file.sha256,
            content_type=file.content_type,
        )
        with stored(upload, scanned=file.scan_at is None, place=to) as copy:
            if checksum_of(copy) != file.sha256:
                raise Damaged(f"The copy of {file.name} in {to} is not what was sent there")
            former = _switch(file, copy)
    if former is None:
        return False
    # Not left to the worker: whoever moves wants to see the old place empty.
    delete_released.call_local(former.pk)
    return True


def is_still_there(file: StoredFile) -> bool:
    """Whether a material still has it, where it was."""
    return StoredFile.objects.filter(pk=file.pk, place=file.place, name=file.name, sweep_at=None).exists()


def checksum_of(file: StoredFile) -> str:
    """The SHA-256 of the bytes where they lie now. Raises what the storage raises."""
    digest = hashlib.sha256()
    with storage_of(file.place).open(file.name, "rb") as content:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _read(file: StoredFile) -> Iterator[IO[bytes]]:
    """The bytes, whole and compared. Raises `Damaged`."""
    digest = hashlib.sha256()
    with TemporaryFile() as kept:
        with storage_of(file.place).open(file.name, "rb") as content:
            while chunk := content.read(CHUNK):
                digest.update(chunk)
                kept.write(chunk)
        if digest.hexdigest() != file.sha256:
            raise Damaged(f"The bytes of {file.name} in {file.place} are not those that were stored")
        kept.seek(0)
        yield kept


def _switch(file: StoredFile, copy: StoredFile) -> StoredFile | None:
    with transaction.atomic():
        current = StoredFile.objects.select_for_update().filter(pk=file.pk, place=file.place, sweep_at=None).first()
        return take_over(current, copy) if current else None
