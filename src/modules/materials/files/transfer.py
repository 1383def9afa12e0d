"""Move files between storages, one at a time, while the service runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO

from django.core.files.base import File
from django.db import transaction
from django.db.models import QuerySet

from modules.materials.files.hashing import compute_hash
from modules.materials.files.storages import get_storage
from modules.materials.files.stored_files import delete_released, replace_bytes, staged
from modules.materials.models import StoredFile
from modules.materials.uploads import Upload


class DamagedBytes(ValueError):
    """The bytes have another hash than when they were stored."""


def select_files_to_move(*, to: str) -> "QuerySet[StoredFile]":
    """Attached files in any other storage, the oldest first."""
    return StoredFile.objects.filter(sweep_at=None).exclude(place=to).order_by("pk")


def move_file(file: StoredFile, *, to: str) -> bool:
    """Copy a file, compare hashes, and delete the old bytes; return false if the file was deleted meanwhile.

    If the process dies, one storage has the file, and the periodic job deletes the bytes in the other. Signed URLs of
    this service redirect to the new storage from then on, those of the old one stop working. Raises `DamagedBytes`,
    `StorageNotConfigured`, `Invalid`, `Unavailable` and what a storage raises.
    """
    try:
        return _move_file(file, to)
    except Exception:
        if not is_still_attached(file):
            return False
        raise


def _move_file(file: StoredFile, to: str) -> bool:
    with _read_to_temporary_file(file) as content:
        upload = Upload(
            content=File(content),
            name="",
            size=file.size,
            sha256=file.sha256,
            content_type=file.content_type,
        )
        with staged(upload, scanned=file.scan_at is None, storage_name=to) as copy:
            if hash_stored_bytes(copy) != file.sha256:
                raise DamagedBytes(f"The copy of {file.name} in {to} is not what was sent there")
            former = _switch_storage(file, copy)
    if former is None:
        return False
    # Not by the worker: after the command, the old storage is expected to be empty.
    delete_released.call_local(former.pk)
    return True


def is_still_attached(file: StoredFile) -> bool:
    """Return whether a material still has the file, in the same storage."""
    return StoredFile.objects.filter(pk=file.pk, place=file.place, name=file.name, sweep_at=None).exists()


def hash_stored_bytes(file: StoredFile) -> str:
    """Hash the bytes in the storage. Raises what the storage raises."""
    with get_storage(file.place).open(file.name, "rb") as content:
        return compute_hash(content)


@contextmanager
def _read_to_temporary_file(file: StoredFile) -> Iterator[IO[bytes]]:
    """Copy the bytes into a temporary file and compare their hash. Raises `DamagedBytes`."""
    with TemporaryFile() as copy:
        with get_storage(file.place).open(file.name, "rb") as content:
            sha256 = compute_hash(content, copy_to=copy)
        if sha256 != file.sha256:
            raise DamagedBytes(f"The bytes of {file.name} in {file.place} are not those that were stored")
        copy.seek(0)
        yield copy


def _switch_storage(file: StoredFile, copy: StoredFile) -> StoredFile | None:
    with transaction.atomic():
        current = StoredFile.objects.select_for_update().filter(pk=file.pk, place=file.place, sweep_at=None).first()
        return replace_bytes(current, copy) if current else None
