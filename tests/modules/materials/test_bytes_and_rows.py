"""Bytes and rows agree, whatever fails and whenever a process dies."""

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import RequestFactory
from tests.modules.materials.conftest import PATH, MaterialsApi, Sessions

from core.storages.local import LocalStorage
from modules.materials import services, tasks
from modules.materials.api import get_file
from modules.materials.files import stored_files
from modules.materials.files.stored_files import delete_due_files, delete_released
from modules.materials.models import Material, StoredFile

NOT_STORED = {"error": "The file could not be stored just now, and nothing was kept. Try again later."}

NothingLeft = Callable[[], bool]
Stored = Callable[[], list[bytes]]


class Death(BaseException):
    """The process is gone: nothing catches it, and nothing is cleaned up."""


@pytest.fixture
def dies(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], None]:
    """Lets the process die where something is called; what would clean up dies as well."""

    def die(*_: object, **__: object) -> None:
        raise Death

    def let_die(where: Any, name: str) -> None:
        monkeypatch.setattr(where, name, die)
        monkeypatch.setattr(stored_files, "_discard_unless_attached", lambda file, **_: None)

    return let_die


def add(member: MaterialsApi, content: bytes = b"hello") -> Material:
    assert member.user is not None
    return services.add_material(
        session_id=7, by=member.user, title="A file", type="file", upload=SimpleUploadedFile("notes.txt", content)
    )


def break_storage(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(LocalStorage, method, fail)


# --- Uploads that fail ------------------------------------------------------------------------------------------


def test_a_storage_that_does_not_take_the_bytes(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, nothing_left: NothingLeft
) -> None:
    break_storage(monkeypatch, "_save")
    response = creator.add_file("notes.txt", b"hello")
    assert (response.status_code, response.json()) == (503, NOT_STORED)
    assert nothing_left()


def test_a_storage_that_fails_in_the_middle(
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


def test_a_storage_that_takes_another_name(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, nothing_left: NothingLeft
) -> None:
    monkeypatch.setattr(LocalStorage, "get_available_name", lambda self, name, max_length=None: f"{name}_2")
    assert creator.add_file("notes.txt", b"hello").status_code == 500
    assert nothing_left()


@pytest.mark.parametrize("where", ["attach", "publish"])
def test_an_error_after_the_bytes_were_written(
    where: str, creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, nothing_left: NothingLeft
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise IntegrityError("No.")

    monkeypatch.setattr(stored_files if where == "attach" else services, where, fail)
    assert creator.add_file("notes.txt", b"hello").status_code == 500
    assert nothing_left()


def test_an_error_while_a_file_is_replaced_leaves_the_old_one(
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


def test_a_failed_upload_whose_bytes_cannot_be_deleted_is_left_to_the_sweep(
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


def test_an_upload_that_the_database_confirmed_is_kept_though_its_answer_was_lost(
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
        add(creator)
    assert stored() == [b"hello"]


# --- Processes that die -----------------------------------------------------------------------------------------


def test_dying_before_the_bytes_are_written(
    creator: MaterialsApi, dies: Callable[[Any, str], None], nothing_left: NothingLeft, clock: Any
) -> None:
    dies(stored_files, "_write")
    with pytest.raises(Death):
        add(creator)
    assert StoredFile.objects.get().released_at is None
    clock.shift(stored_files.STAGING_TIMEOUT)
    delete_due_files()
    assert nothing_left()


def test_dying_after_the_bytes_are_written(
    creator: MaterialsApi, dies: Callable[[Any, str], None], stored: Stored, nothing_left: NothingLeft, clock: Any
) -> None:
    dies(stored_files, "attach")
    with pytest.raises(Death):
        add(creator)
    assert stored() == [b"hello"]
    assert not Material.objects.exists()
    clock.shift(stored_files.STAGING_TIMEOUT)
    delete_due_files()
    assert nothing_left()


def test_an_upload_under_way_is_not_swept(
    creator: MaterialsApi, dies: Callable[[Any, str], None], stored: Stored, clock: Any
) -> None:
    dies(stored_files, "attach")
    with pytest.raises(Death):
        add(creator)
    clock.shift(stored_files.STAGING_TIMEOUT - timedelta(seconds=1))
    assert delete_due_files() == 0
    assert stored() == [b"hello"]


def test_an_upload_that_was_swept_meanwhile_fails_and_leaves_nothing(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, nothing_left: NothingLeft, clock: Any
) -> None:
    write = stored_files._write

    def write_slowly(file: StoredFile, upload: Any) -> None:
        write(file, upload)
        clock.shift(stored_files.STAGING_TIMEOUT)
        delete_due_files()

    monkeypatch.setattr(stored_files, "_write", write_slowly)
    with pytest.raises(stored_files.StagedFileExpired):
        add(creator)
    assert nothing_left()


def test_dying_between_the_deletion_and_its_task(
    creator: MaterialsApi, stored: Stored, nothing_left: NothingLeft
) -> None:
    material = add(creator)
    # The callbacks after a commit do not run in this test: as if the process had died before them.
    assert creator.delete(f"{PATH}{material.pk}/").status_code == 204
    assert stored() == [b"hello"]
    delete_due_files()
    assert nothing_left()


def test_dying_between_the_bytes_and_their_row(
    creator: MaterialsApi,
    dies: Callable[[Any, str], None],
    monkeypatch: pytest.MonkeyPatch,
    nothing_left: NothingLeft,
    clock: Any,
) -> None:
    material = add(creator)
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


# --- The sweep --------------------------------------------------------------------------------------------------


def test_the_sweep_leaves_alone_what_belongs_to_a_material(creator: MaterialsApi, stored: Stored, clock: Any) -> None:
    add(creator)
    clock.shift(timedelta(days=365))
    assert delete_due_files() == 0
    assert stored() == [b"hello"]


def test_the_sweep_runs_as_a_task(creator: MaterialsApi, nothing_left: NothingLeft) -> None:
    creator.delete(f"{PATH}{add(creator).pk}/")
    tasks.sweep_files.call_local()
    assert nothing_left()


def test_sweeping_twice_is_fine(creator: MaterialsApi, nothing_left: NothingLeft) -> None:
    creator.delete(f"{PATH}{add(creator).pk}/")
    assert (delete_due_files(), delete_due_files()) == (1, 0)
    assert nothing_left()


def test_a_task_that_comes_twice_or_too_late_is_fine(creator: MaterialsApi, stored: Stored) -> None:
    kept, gone = add(creator, b"kept"), add(creator, b"gone")
    creator.delete(f"{PATH}{gone.pk}/")
    for _ in range(2):
        delete_released.call_local(gone.file_id)
        delete_released.call_local(kept.file_id)
    assert stored() == [b"kept"]


def test_bytes_that_are_gone_already_keep_no_row(
    creator: MaterialsApi, folder: Path, nothing_left: NothingLeft
) -> None:
    material = add(creator)
    assert material.file is not None
    (folder / material.file.name).unlink()
    creator.delete(f"{PATH}{material.pk}/")
    delete_due_files()
    assert nothing_left()


def test_one_file_that_cannot_be_deleted_does_not_hold_up_the_others(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stuck, other = add(creator, b"stuck"), add(creator, b"other")
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


def test_another_worker_does_not_take_up_what_one_has_in_hand(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    creator.delete(f"{PATH}{add(creator).pk}/")
    delete = LocalStorage.delete
    others: list[int] = []

    def delete_while_another_sweeps(self: LocalStorage, name: str) -> None:
        others.append(delete_due_files())
        delete(self, name)

    monkeypatch.setattr(LocalStorage, "delete", delete_while_another_sweeps)
    assert delete_due_files() == 1
    assert others == [0]


def test_what_can_never_be_deleted_holds_up_nobody(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    stuck = {add(creator, f"stuck {number}".encode()).file_id for number in range(stored_files.MAX_FAILURES)}
    names = set(StoredFile.objects.values_list("name", flat=True))
    for number in range(3):
        add(creator, f"other {number}".encode())
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


def test_an_upload_that_takes_longer_than_the_sweep_waits_leaves_no_bytes(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, nothing_left: NothingLeft, clock: Any
) -> None:
    """The sweep finds no bytes yet, and forgets the row; then they come."""
    new_file = LocalStorage._new_file

    def sweep_before_it_is_written(self: LocalStorage, name: str) -> Path:
        clock.shift(stored_files.STAGING_TIMEOUT)
        delete_due_files()
        return new_file(self, name)

    monkeypatch.setattr(LocalStorage, "_new_file", sweep_before_it_is_written)
    with pytest.raises(stored_files.StagedFileExpired):
        add(creator)
    assert nothing_left()


# --- With real commits ------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_queue_that_is_down_does_not_fail_a_deletion(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, nothing_left: NothingLeft
) -> None:
    material = add(creator)

    def fail(*_: object) -> None:
        raise ConnectionError("The queue is down.")

    with monkeypatch.context() as broken:
        broken.setattr(stored_files, "delete_released", fail)
        assert creator.delete(f"{PATH}{material.pk}/").status_code == 204
    assert StoredFile.objects.get().released_at is not None
    delete_due_files()
    assert nothing_left()


@pytest.mark.django_db(transaction=True)
def test_what_is_deleted_and_what_is_replaced_goes_at_once(
    creator: MaterialsApi, stored: Stored, nothing_left: NothingLeft
) -> None:
    material = add(creator)
    path = f"{PATH}{material.pk}/"
    assert creator.put_form(path, {"file": SimpleUploadedFile("a.txt", b"other")}).status_code == 200
    assert stored() == [b"other"]
    assert creator.delete(path).status_code == 204
    assert nothing_left()


@pytest.mark.django_db(transaction=True)
def test_a_deletion_that_is_rolled_back_keeps_the_bytes(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, stored: Stored
) -> None:
    material = add(creator)

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
    add(creator)
    assert seen == [(1, False)]


@pytest.mark.django_db(transaction=True)
def test_nobody_else_waits_for_the_database_while_bytes_are_on_their_way(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request has a connection out of a pool of few: a slow storage or reader must not keep it."""
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
def test_a_row_has_what_belongs_to_its_type_and_nothing_else(values: dict[str, str], creator: MaterialsApi) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Material.objects.create(**{"session_id": 7, "title": "A", "uploaded_by": creator.user, **values})


def test_a_file_belongs_to_a_file_material(creator: MaterialsApi) -> None:
    file = StoredFile.objects.create(name="x", size=1, content_type="x", sha256="x")
    for values in ({"type": "note", "content": "x"}, {"type": "link", "url": "https://example.com/"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Material.objects.create(session_id=7, title="A", uploaded_by=creator.user, file=file, **values)


def test_a_file_that_was_given_up_is_always_found(db: None) -> None:
    file = StoredFile.objects.create(name="x", size=1, content_type="x", sha256="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        StoredFile.objects.filter(pk=file.pk).update(released_at=file.created_at, sweep_at=None)


def test_the_storage_is_reached_by_its_alias_alone(folder: Path) -> None:
    assert isinstance(storages["materials_local"], LocalStorage)
    assert Path(storages["materials_local"].location) == folder
