"""Compare the bytes in a storage with the rows of `StoredFile`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

from core.storages import ListableStorage, ListedFile
from modules.materials.files.names import is_generated_name
from modules.materials.files.storages import get_storage
from modules.materials.files.transfer import hash_stored_bytes, is_still_attached
from modules.materials.models import StoredFile

BATCH_SIZE = 500

# Called after each file that was compared.
Progress = Callable[[], object]


@dataclass
class Comparison:
    """The result for one storage. Released files that are not deleted yet count as agreeing."""

    storage_name: str
    agree: int = 0
    # Bytes without a row.
    orphans: list[ListedFile] = field(default_factory=list)
    # Attached files without bytes.
    lost: list[StoredFile] = field(default_factory=list)
    # Attached files with other bytes, and how they differ.
    damaged: list[tuple[StoredFile, str]] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.orphans or self.lost or self.damaged)

    @property
    def most_are_lost(self) -> bool:
        """Return whether most files are lost, as with the wrong folder or bucket, or an unmounted one."""
        return len(self.lost) > self.agree + len(self.damaged)

    @property
    def most_are_orphans(self) -> bool:
        """Return whether most bytes are orphans, as with a shared storage, or a wrong or outdated database."""
        return len(self.orphans) > self.agree + len(self.damaged)


def compare_storage(storage_name: str, *, checksums: bool = False, progress: Progress = lambda: None) -> Comparison:
    """Compare a storage with its rows. Changes nothing, and may run while the service does.

    Names that were not generated here are skipped. With `checksums` all bytes are read. Keeps the names of all files
    in memory. Calls `progress` once for each file. Raises `StorageNotConfigured`, and what the storage raises.
    """
    comparison = Comparison(storage_name=storage_name)
    seen: set[str] = set()
    storage = cast(ListableStorage, get_storage(storage_name))
    for listed in _split_into_batches(each for each in storage.walk() if is_generated_name(each.name)):
        rows_by_name = StoredFile.objects.select_related("material").filter(place=storage_name)
        rows = rows_by_name.in_bulk([each.name for each in listed], field_name="name")
        for each in listed:
            progress()
            row = rows.get(each.name)
            if row is None:
                comparison.orphans.append(each)
            elif row.sweep_at is None:
                seen.add(row.name)
                if wrong := _find_damage(row, each.size, checksums=checksums):
                    comparison.damaged.append((row, wrong))
                else:
                    comparison.agree += 1
    rows_there = StoredFile.objects.select_related("material").filter(place=storage_name, sweep_at=None).order_by("pk")
    comparison.lost = [row for row in rows_there.iterator() if row.name not in seen and is_lost(row)]
    return comparison


def is_orphan(storage_name: str, name: str) -> bool:
    """Return whether bytes have no row. They never get one: a row is committed before its bytes are written."""
    return not StoredFile.objects.filter(place=storage_name, name=name).exists()


def _split_into_batches(listed: Iterator[ListedFile]) -> Iterator[list[ListedFile]]:
    batch: list[ListedFile] = []
    for each in listed:
        batch.append(each)
        if len(batch) == BATCH_SIZE:
            yield batch
            batch = []
    if batch:
        yield batch


def is_lost(row: StoredFile) -> bool:
    """Check again whether the bytes are missing: they may have been deleted, moved or added during the comparison."""
    return is_still_attached(row) and not get_storage(row.place).exists(row.name)


def _find_damage(row: StoredFile, size: int, *, checksums: bool) -> str:
    """Describe how the bytes differ from the row; empty if they do not, or if the file was deleted meanwhile."""
    try:
        if size != row.size:
            # It may have been listed while it was written.
            size = get_storage(row.place).size(row.name)
        if size != row.size:
            wrong = f"{size} bytes instead of {row.size}"
        elif checksums and hash_stored_bytes(row) != row.sha256:
            wrong = "other bytes than were stored"
        else:
            return ""
    except FileNotFoundError:
        wrong = "no bytes any more"
    return wrong if is_still_attached(row) else ""
