"""Deleting released files, and keeping all others."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import RequestFactory
from tests.modules.materials.conftest import PATH, MaterialsApi, NothingLeft, Sessions, Stored, share_file

from core.storages.local import LocalStorage
from modules.materials import services, tasks
from modules.materials.api import get_file
from modules.materials.files import stored_files
from modules.materials.files.stored_files import delete_due_files, delete_released
from modules.materials.models import Material, StoredFile

# --- The sweep --------------------------------------------------------------------------------------------------


def test_the_periodic_job_keeps_attached_files(creator: MaterialsApi, stored: Stored, clock: Any) -> None:
    share_file(creator)
    clock.shift(timedelta(days=365))
    assert delete_due_files() == 0
    assert stored() == [b"hello"]


def test_the_periodic_job_runs_as_a_task(creator: MaterialsApi, nothing_left: NothingLeft) -> None:
    creator.delete(f"{PATH}{share_file(creator).pk}/")
    tasks.sweep_files.call_local()
    assert nothing_left()


def test_the_periodic_job_is_idempotent(creator: MaterialsApi, nothing_left: NothingLeft) -> None:
    creator.delete(f"{PATH}{share_file(creator).pk}/")
    assert (delete_due_files(), delete_due_files()) == (1, 0)
    assert nothing_left()


def test_the_deletion_task_is_idempotent(creator: MaterialsApi, stored: Stored) -> None:
    kept, gone = share_file(creator, b"kept"), share_file(creator, b"gone")
    creator.delete(f"{PATH}{gone.pk}/")
    for _ in range(2):
        delete_released.call_local(gone.file_id)
        delete_released.call_local(kept.file_id)
    assert stored() == [b"kept"]


def test_a_row_without_bytes_is_deleted(creator: MaterialsApi, folder: Path, nothing_left: NothingLeft) -> None:
    material = share_file(creator)
    assert material.file is not None
    (folder / material.file.name).unlink()
    creator.delete(f"{PATH}{material.pk}/")
    delete_due_files()
    assert nothing_left()


def test_a_file_that_cannot_be_deleted_does_not_block_the_others(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stuck, other = share_file(creator, b"stuck"), share_file(creator, b"other")
    assert stuck.file is not None
    creator.delete(f"{PATH}{stuck.pk}/")
    creator.delete(f"{PATH}{other.pk}/")
    delete = LocalStorage.delete

    def fail_for_one(self: LocalStorage, name: str) -> None:
        if stuck.file is not None and name == stuck.file.name:
            raise OSError("Permission denied")
        delete(self, name)

    monkeypatch.setattr(LocalStorage, "delete", fail_for_one)
    with caplog.at_level(logging.ERROR):
        assert delete_due_files(limit=1) == 1
        assert delete_due_files(limit=1) == 1
        assert delete_due_files(limit=1) == 0
    assert list(StoredFile.objects.values_list("pk", flat=True)) == [stuck.file.pk]
    assert f"The bytes of {stuck.file.name} were not deleted from local" in caplog.text


def test_files_claimed_by_one_worker_are_skipped_by_others(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    creator.delete(f"{PATH}{share_file(creator).pk}/")
    delete = LocalStorage.delete
    others: list[int] = []

    def delete_while_another_sweeps(self: LocalStorage, name: str) -> None:
        others.append(delete_due_files())
        delete(self, name)

    monkeypatch.setattr(LocalStorage, "delete", delete_while_another_sweeps)
    assert delete_due_files() == 1
    assert others == [0]


def test_files_that_can_never_be_deleted_do_not_block_the_others(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    stuck = {share_file(creator, f"stuck {number}".encode()).file_id for number in range(stored_files.MAX_FAILURES)}
    names = set(StoredFile.objects.values_list("name", flat=True))
    for number in range(3):
        share_file(creator, f"other {number}".encode())
    services.delete_materials_of_session(session_id=7)
    delete = LocalStorage.delete

    def fail_for_some(self: LocalStorage, name: str) -> None:
        if name in names:
            raise OSError("Permission denied")
        delete(self, name)

    monkeypatch.setattr(LocalStorage, "delete", fail_for_some)
    delete_due_files()
    clock.shift(stored_files.RETRY_DELAY)
    delete_due_files()
    assert set(StoredFile.objects.values_list("pk", flat=True)) == stuck


def test_an_upload_that_exceeds_the_staging_timeout_leaves_no_bytes(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, nothing_left: NothingLeft, clock: Any
) -> None:
    """The periodic job deletes the row before the bytes are written."""
    create_empty_file = LocalStorage._create_empty_file

    def sweep_before_it_is_written(self: LocalStorage, name: str) -> Path:
        clock.shift(stored_files.STAGING_TIMEOUT)
        delete_due_files()
        return create_empty_file(self, name)

    monkeypatch.setattr(LocalStorage, "_create_empty_file", sweep_before_it_is_written)
    with pytest.raises(stored_files.StagedFileExpired):
        share_file(creator)
    assert nothing_left()


# --- With real commits ------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_queue_that_is_down_does_not_fail_a_deletion(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, nothing_left: NothingLeft
) -> None:
    material = share_file(creator)

    def fail(*_: object) -> None:
        raise ConnectionError("The queue is down.")

    with monkeypatch.context() as broken:
        broken.setattr(stored_files, "delete_released", fail)
        assert creator.delete(f"{PATH}{material.pk}/").status_code == 204
    assert StoredFile.objects.get().released_at is not None
    delete_due_files()
    assert nothing_left()


@pytest.mark.django_db(transaction=True)
def test_deleted_and_replaced_files_are_deleted_after_the_commit(
    creator: MaterialsApi, stored: Stored, nothing_left: NothingLeft
) -> None:
    material = share_file(creator)
    path = f"{PATH}{material.pk}/"
    assert creator.put_form(path, {"file": SimpleUploadedFile("a.txt", b"other")}).status_code == 200
    assert stored() == [b"other"]
    assert creator.delete(path).status_code == 204
    assert nothing_left()


@pytest.mark.django_db(transaction=True)
def test_a_deletion_that_is_rolled_back_keeps_the_bytes(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, stored: Stored
) -> None:
    material = share_file(creator)

    def fail(*_: object, **__: object) -> None:
        raise IntegrityError("No.")

    with monkeypatch.context() as broken:
        broken.setattr(services, "publish", fail)
        assert creator.delete(f"{PATH}{material.pk}/").status_code == 500
    assert stored() == [b"hello"]
    assert delete_due_files() == 0


@pytest.mark.django_db(transaction=True)
def test_the_row_is_committed_before_the_bytes_are_written(
    creator: MaterialsApi, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, bool]] = []
    save = LocalStorage.save

    def look(self: LocalStorage, *args: Any, **kwargs: Any) -> str:
        seen.append((StoredFile.objects.count(), transaction.get_connection().in_atomic_block))
        return save(self, *args, **kwargs)

    monkeypatch.setattr(LocalStorage, "save", look)
    share_file(creator)
    assert seen == [(1, False)]


@pytest.mark.django_db(transaction=True)
def test_no_database_connection_is_held_while_bytes_are_written(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections are few: a slow storage or client must not hold one."""
    held: list[bool] = []
    save = LocalStorage.save

    def look(self: LocalStorage, *args: Any, **kwargs: Any) -> str:
        held.append(connection.connection is not None)
        return save(self, *args, **kwargs)

    monkeypatch.setattr(LocalStorage, "save", look)
    added = creator.add_file("notes.txt", b"hello").json()
    response = get_file(RequestFactory().get("/"), added["file"].split("/")[-2])
    held.append(connection.connection is not None)
    response.close()
    assert held == [False, False]


# --- What the database itself refuses ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"type": "file"},
        {"type": "file", "file_name": "x"},
        {"type": "link"},
        {"type": "link", "url": "javascript:alert(1)"},
        {"type": "link", "url": "https://example.com/", "content": "x"},
        {"type": "link", "url": "https://example.com/", "file_name": "x"},
        {"type": "note"},
        {"type": "note", "content": "x", "url": "https://example.com/"},
        {"type": "else", "content": "x"},
        {"type": "note", "content": "x", "title": ""},
    ],
)
def test_constraints_allow_only_the_fields_of_a_materials_type(values: dict[str, str], creator: MaterialsApi) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Material.objects.create(**{"session_id": 7, "title": "A", "uploaded_by": creator.user, **values})


def test_a_file_belongs_to_a_file_material(creator: MaterialsApi) -> None:
    file = StoredFile.objects.create(name="x", size=1, content_type="x", sha256="x")
    for values in ({"type": "note", "content": "x"}, {"type": "link", "url": "https://example.com/"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Material.objects.create(session_id=7, title="A", uploaded_by=creator.user, file=file, **values)


def test_a_released_file_always_has_a_due_deletion(db: None) -> None:
    file = StoredFile.objects.create(name="x", size=1, content_type="x", sha256="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        StoredFile.objects.filter(pk=file.pk).update(released_at=file.created_at, sweep_at=None)


def test_storages_are_looked_up_by_alias(folder: Path) -> None:
    assert isinstance(storages["materials_local"], LocalStorage)
    assert Path(storages["materials_local"].location) == folder
