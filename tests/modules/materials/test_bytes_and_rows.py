"""Bytes and rows agree, whatever fails and whenever a process dies."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, OperationalError
from tests.modules.materials.conftest import PATH, MaterialsApi, NothingLeft, Stored, share_file

from core.storages.local import LocalStorage
from modules.materials import services
from modules.materials.files import stored_files
from modules.materials.files.stored_files import delete_due_files, delete_released
from modules.materials.models import Material, StoredFile

NOT_STORED = {"error": "The file could not be stored just now, and nothing was kept. Try again later."}


class Death(BaseException):
    """The process dies: nothing catches this, and nothing is cleaned up."""


@pytest.fixture
def dies(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], None]:
    """Simulates that the process dies in a call: cleaning up fails as well."""

    def die(*_: object, **__: object) -> None:
        raise Death

    def let_die(where: Any, name: str) -> None:
        monkeypatch.setattr(where, name, die)
        monkeypatch.setattr(stored_files, "_discard_unless_attached", lambda file, **_: None)

    return let_die


def break_storage(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(LocalStorage, method, fail)


# --- Uploads that fail ------------------------------------------------------------------------------------------


def test_a_storage_that_refuses_the_bytes_leaves_no_row(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, nothing_left: NothingLeft
) -> None:
    break_storage(monkeypatch, "_save")
    response = creator.add_file("notes.txt", b"hello")
    assert (response.status_code, response.json()) == (503, NOT_STORED)
    assert nothing_left()


def test_a_storage_that_fails_while_writing_leaves_no_row(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, nothing_left: NothingLeft
) -> None:
    save = LocalStorage._save

    def write_and_fail(self: LocalStorage, name: str, content: Any) -> None:
        save(self, name, SimpleUploadedFile("half", b"hel"))
        raise OSError("No space left on device")

    monkeypatch.setattr(LocalStorage, "_save", write_and_fail)
    response = creator.add_file("notes.txt", b"hello")
    assert (response.status_code, response.json()) == (503, NOT_STORED)
    assert nothing_left()


def test_a_storage_that_renames_the_file_is_an_error(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, nothing_left: NothingLeft
) -> None:
    monkeypatch.setattr(LocalStorage, "get_available_name", lambda self, name, max_length=None: f"{name}_2")
    assert creator.add_file("notes.txt", b"hello").status_code == 500
    assert nothing_left()


@pytest.mark.parametrize("where", ["attach", "publish"])
def test_an_error_after_the_bytes_were_written_deletes_them(
    where: str, creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, nothing_left: NothingLeft
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise IntegrityError("No.")

    monkeypatch.setattr(stored_files if where == "attach" else services, where, fail)
    assert creator.add_file("notes.txt", b"hello").status_code == 500
    assert nothing_left()


def test_an_error_while_a_file_is_replaced_keeps_the_old_one(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, stored: Stored
) -> None:
    added = creator.add_file("notes.txt", b"hello").json()

    def fail(*_: object, **__: object) -> None:
        raise IntegrityError("No.")

    monkeypatch.setattr(services, "publish", fail)
    response = creator.put_form(f"{PATH}{added['id']}/", {"file": SimpleUploadedFile("notes.txt", b"other")})
    assert response.status_code == 500
    assert stored() == [b"hello"]
    assert creator.client.get(added["file"]).getvalue() == b"hello"


def test_a_failed_upload_whose_bytes_cannot_be_deleted_is_left_to_the_periodic_job(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, nothing_left: NothingLeft, clock: Any
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise IntegrityError("No.")

    with monkeypatch.context() as broken:
        broken.setattr(services, "publish", fail)
        break_storage(broken, "delete")
        assert creator.add_file("notes.txt", b"hello").status_code == 500
    assert StoredFile.objects.get().released_at is not None
    delete_due_files()
    assert StoredFile.objects.exists()
    clock.shift(stored_files.RETRY_DELAY)
    delete_due_files()
    assert nothing_left()


def test_a_committed_upload_is_kept_even_if_the_connection_broke_during_the_commit(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, stored: Stored
) -> None:
    """A connection that breaks during the commit raises, whether the commit has happened or not."""
    write = stored_files._write

    def write_and_link(file: StoredFile, upload: Any) -> None:
        write(file, upload)
        stored_files.attach(file)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(stored_files, "_write", write_and_link)
    with pytest.raises(OperationalError):
        share_file(creator)
    assert stored() == [b"hello"]


# --- Processes that die -----------------------------------------------------------------------------------------


def test_a_row_is_deleted_if_the_process_dies_before_writing_the_bytes(
    creator: MaterialsApi, dies: Callable[[Any, str], None], nothing_left: NothingLeft, clock: Any
) -> None:
    dies(stored_files, "_write")
    with pytest.raises(Death):
        share_file(creator)
    assert StoredFile.objects.get().released_at is None
    clock.shift(stored_files.STAGING_TIMEOUT)
    delete_due_files()
    assert nothing_left()


def test_row_and_bytes_are_deleted_if_the_process_dies_after_writing_the_bytes(
    creator: MaterialsApi, dies: Callable[[Any, str], None], stored: Stored, nothing_left: NothingLeft, clock: Any
) -> None:
    dies(stored_files, "attach")
    with pytest.raises(Death):
        share_file(creator)
    assert stored() == [b"hello"]
    assert not Material.objects.exists()
    clock.shift(stored_files.STAGING_TIMEOUT)
    delete_due_files()
    assert nothing_left()


def test_an_upload_in_progress_is_not_deleted(
    creator: MaterialsApi, dies: Callable[[Any, str], None], stored: Stored, clock: Any
) -> None:
    dies(stored_files, "attach")
    with pytest.raises(Death):
        share_file(creator)
    clock.shift(stored_files.STAGING_TIMEOUT - timedelta(seconds=1))
    assert delete_due_files() == 0
    assert stored() == [b"hello"]


def test_an_upload_that_timed_out_fails_and_leaves_nothing(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, nothing_left: NothingLeft, clock: Any
) -> None:
    write = stored_files._write

    def write_slowly(file: StoredFile, upload: Any) -> None:
        write(file, upload)
        clock.shift(stored_files.STAGING_TIMEOUT)
        delete_due_files()

    monkeypatch.setattr(stored_files, "_write", write_slowly)
    with pytest.raises(stored_files.StagedFileExpired):
        share_file(creator)
    assert nothing_left()


def test_a_released_file_is_deleted_even_if_the_process_dies_before_its_task(
    creator: MaterialsApi, stored: Stored, nothing_left: NothingLeft
) -> None:
    material = share_file(creator)
    # The callbacks after a commit do not run in this test: as if the process had died before them.
    assert creator.delete(f"{PATH}{material.pk}/").status_code == 204
    assert stored() == [b"hello"]
    delete_due_files()
    assert nothing_left()


def test_a_row_is_deleted_even_if_the_process_died_after_deleting_the_bytes(
    creator: MaterialsApi,
    dies: Callable[[Any, str], None],
    monkeypatch: pytest.MonkeyPatch,
    nothing_left: NothingLeft,
    clock: Any,
) -> None:
    material = share_file(creator)
    file = material.file
    assert file is not None
    creator.delete(f"{PATH}{material.pk}/")
    with monkeypatch.context() as dying:
        delete = LocalStorage.delete

        def delete_and_die(self: LocalStorage, name: str) -> None:
            delete(self, name)
            raise Death

        dying.setattr(LocalStorage, "delete", delete_and_die)
        with pytest.raises(Death):
            delete_released.call_local(file.pk)
    assert StoredFile.objects.exists()
    clock.shift(stored_files.RETRY_DELAY)
    delete_due_files()
    assert nothing_left()
