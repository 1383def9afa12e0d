"""Files in a folder of this machine."""

import os
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from tests.core.storages.samples import NAME, PNG

from core.storages.local import LocalStorage

PICTURE = f"image/{NAME}.png"


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The inodes of all that was brought to the disk."""
    inodes: set[int] = set()
    fsync = os.fsync

    def remember(descriptor: int) -> None:
        inodes.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", remember)
    return inodes


def test_what_is_saved_is_on_the_disk_with_the_folders_that_lead_to_it(
    local_storage: LocalStorage, synced: set[int]
) -> None:
    local_storage.save(PICTURE, ContentFile(PNG))

    path = Path(local_storage.path(PICTURE))
    root = Path(local_storage.location)
    folders = [path.parent, path.parent.parent, root, root.parent]
    assert {found.stat().st_ino for found in [path, *folders]} <= synced


def test_of_what_does_not_come_to_the_disk_nothing_is_kept(
    local_storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError):
        local_storage.save(PICTURE, ContentFile(PNG))

    assert list(local_storage.walk()) == []


def test_a_file_that_goes_away_while_it_is_listed_is_left_out(
    local_storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_storage.save(PICTURE, ContentFile(PNG))

    def gone(path: Path) -> os.stat_result:
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "lstat", gone)

    assert list(local_storage.walk()) == []


def test_a_folder_that_cannot_be_looked_into_is_not_taken_for_an_empty_one(
    local_storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_storage.save(PICTURE, ContentFile(PNG))

    def refuse(path: object) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError):
        list(local_storage.walk())


def test_whoever_may_read_the_folder_may_read_the_files(local_storage: LocalStorage) -> None:
    local_storage.save(PICTURE, ContentFile(PNG))

    assert Path(local_storage.path(PICTURE)).stat().st_mode & 0o777 == 0o644


def test_a_name_that_somebody_takes_in_the_meantime_is_left_to_them(
    local_storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_storage.save(PICTURE, ContentFile(b"theirs"))
    # As it was when the name was chosen.
    answers = iter([False])
    exists = local_storage.exists
    monkeypatch.setattr(local_storage, "exists", lambda name: next(answers, None) is None and exists(name))

    name = local_storage.save(PICTURE, ContentFile(b"ours"))

    assert name != PICTURE
    assert Path(local_storage.path(PICTURE)).read_bytes() == b"theirs"
    assert Path(local_storage.path(name)).read_bytes() == b"ours"
