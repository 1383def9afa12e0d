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
    """The result for one storage. Released files that wait for their deletion count as agreeing."""

    place: str
    agree: int = 0
    # Bytes that no row knows.
    orphans: list[ListedFile] = field(default_factory=list)
    # Files of materials whose bytes are not there.
    lost: list[StoredFile] = field(default_factory=list)
    # Files of materials whose bytes are others, with what is wrong with them.
    damaged: list[tuple[StoredFile, str]] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.orphans or self.lost or self.damaged)

    @property
    def most_are_lost(self) -> bool:
        """As when this is the wrong folder or bucket, or one that is not mounted."""
        return len(self.lost) > self.agree + len(self.damaged)

    @property
    def most_are_orphans(self) -> bool:
        """As when another installation has its files here too, or the database is another, or older than they are."""
        return len(self.orphans) > self.agree + len(self.damaged)


def compare_storage(place: str, *, checksums: bool = False, progress: Progress = lambda: None) -> Comparison:
    """Compare a storage with its rows. Changes nothing, and may run while members use the service.

    Names that were not generated here are skipped. With `checksums` all bytes are read. Holds the names of all files
    of the storage in memory. Calls `progress` once for each file. Raises `StorageNotConfigured`, and what the
    storage raises where it does not answer.
    """
    comparison = Comparison(place=place)
    seen: set[str] = set()
    storage = cast(ListableStorage, get_storage(place))
    for listed in _split_into_batches(each for each in storage.walk() if is_generated_name(each.name)):
        rows_by_name = StoredFile.objects.select_related("material").filter(place=place)
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
    rows_there = StoredFile.objects.select_related("material").filter(place=place, sweep_at=None).order_by("pk")
    comparison.lost = [row for row in rows_there.iterator() if row.name not in seen and is_lost(row)]
    return comparison


def is_orphan(place: str, name: str) -> bool:
    """Whether these bytes have no row. That cannot change: a row is committed before its bytes are written."""
    return not StoredFile.objects.filter(place=place, name=name).exists()


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
    """Describe how the bytes differ from the row; empty if they do not, or if the file is gone meanwhile."""
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
