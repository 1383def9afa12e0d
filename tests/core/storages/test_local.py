"""The local storage."""

import os
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from tests.core.storages.samples import NAME, PNG

from core.storages.local import LocalStorage

PICTURE = f"image/{NAME}.png"


@pytest.fixture
def synced_inodes(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The inodes of all files and folders that were flushed."""
    inodes: set[int] = set()
    fsync = os.fsync

    def remember(descriptor: int) -> None:
        inodes.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", remember)
    return inodes


def test_a_saved_file_and_its_folders_are_flushed_to_disk(local_storage: LocalStorage, synced_inodes: set[int]) -> None:
    local_storage.save(PICTURE, ContentFile(PNG))

    path = Path(local_storage.path(PICTURE))
    root = Path(local_storage.location)
    folders = [path.parent, path.parent.parent, root, root.parent]
    assert {found.stat().st_ino for found in [path, *folders]} <= synced_inodes


def test_a_file_that_cannot_be_flushed_is_deleted(local_storage: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError):
        local_storage.save(PICTURE, ContentFile(PNG))

    assert list(local_storage.walk()) == []


def test_a_file_deleted_while_listing_is_skipped(local_storage: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    local_storage.save(PICTURE, ContentFile(PNG))

    def gone(path: Path) -> os.stat_result:
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "lstat", gone)

    assert list(local_storage.walk()) == []


def test_an_unreadable_folder_raises_an_error(local_storage: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    local_storage.save(PICTURE, ContentFile(PNG))

    def refuse(path: object) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError):
        list(local_storage.walk())


def test_files_have_the_configured_permissions(local_storage: LocalStorage) -> None:
    local_storage.save(PICTURE, ContentFile(PNG))

    assert Path(local_storage.path(PICTURE)).stat().st_mode & 0o777 == 0o644


def test_a_concurrently_taken_name_is_not_overwritten(
    local_storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_storage.save(PICTURE, ContentFile(b"theirs"))
    # The name was free when it was chosen.
    answers = iter([False])
    exists = local_storage.exists
    monkeypatch.setattr(local_storage, "exists", lambda name: next(answers, None) is None and exists(name))

    name = local_storage.save(PICTURE, ContentFile(b"ours"))

    assert name != PICTURE
    assert Path(local_storage.path(PICTURE)).read_bytes() == b"theirs"
    assert Path(local_storage.path(name)).read_bytes() == b"ours"
