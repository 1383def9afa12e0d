"""`move_materials`: all files are moved to another storage while the service runs."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from tests.cloudinary_server import CloudinaryServer, Failure
from tests.modules.materials.conftest import PATH, MaterialsApi
from tests.modules.materials.samples import ACCEPTED

from modules.materials.files import stored_files, transfer
from modules.materials.models import StoredFile

Agree = Callable[[], dict[str, int]]

PLACES = ["local", "cloudinary", "s3"]


def move_all(to: str) -> str:
    output = io.StringIO()
    call_command("move_materials", "--to", to, stdout=output, stderr=output)
    return output.getvalue()


def bytes_of(file: StoredFile) -> bytes:
    with storages[f"materials_{file.place}"].open(file.name) as content:
        return bytes(content.read())


@pytest.fixture
def everywhere(set_up: Callable[[str], Any], settings: Any) -> Callable[[str], None]:
    """Configures all storages; new files go to the given one."""
    for place in PLACES:
        set_up(place)

    def choose(place: str) -> None:
        settings.MATERIALS_STORAGE = place

    return choose


@pytest.fixture
def added(creator: MaterialsApi, everywhere: Callable[[str], None]) -> Callable[[str], list[bytes]]:
    """Adds files of several kinds to a storage; returns their bytes in the order of their rows."""

    def add(place: str) -> list[bytes]:
        everywhere(place)
        contents = [ACCEPTED["png"][0], ACCEPTED["pdf"][0], ACCEPTED["mp4"][0], b"hello"]
        for content in contents:
            assert creator.add_file("a", content).status_code == 201
        return contents

    return add


@pytest.mark.parametrize("there", PLACES)
@pytest.mark.parametrize("here", PLACES)
def test_files_move_between_all_storages(
    here: str, there: str, added: Callable[[str], list[bytes]], everywhere: Any, agree: Agree
) -> None:
    contents = added(here)
    identities = list(StoredFile.objects.order_by("pk").values_list("pk", "sha256", "size", "content_type"))
    everywhere(there)
    size = sum(map(len, contents))
    moved = f"{len(contents)} files ({size / 1024:.2f}" if here != there else "0 files (0 bytes"
    assert move_all(there).startswith(f"Moved {moved[:9]}")
    assert list(StoredFile.objects.order_by("pk").values_list("pk", "sha256", "size", "content_type")) == identities
    assert [bytes_of(file) for file in StoredFile.objects.order_by("pk")] == contents
    assert agree() == {place: 4 if place == there else 0 for place in PLACES}
    assert not StoredFile.objects.exclude(sweep_at=None).exists()


def test_the_command_reports_what_it_moved(added: Callable[[str], list[bytes]], everywhere: Any) -> None:
    added("local")
    everywhere("s3")
    assert re.fullmatch(r"Moved 4 files \(\d+ bytes\) to s3\.\n", move_all("s3"))
    assert move_all("s3") == "Moved 0 files (0 bytes) to s3.\n"


def test_the_command_warns_if_new_files_go_to_another_storage(added: Callable[[str], list[bytes]]) -> None:
    added("local")
    assert move_all("s3").startswith("New files still go to local: set MATERIALS_STORAGE=s3 first.\n")


def test_a_storage_that_is_not_configured_is_refused(creator: MaterialsApi, agree: Agree) -> None:
    creator.add_file("a.txt", b"hello")
    with pytest.raises(CommandError, match=r"s3 is not set up: see `MATERIALS_STORAGE` in docs/configuration\.md\."):
        move_all("s3")
    assert agree() == {"local": 1}


def test_the_command_resumes_after_an_interruption(
    added: Callable[[str], list[bytes]], everywhere: Any, agree: Agree, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = added("local")
    everywhere("s3")
    checksum_of = transfer.hash_stored_bytes
    asked: list[str] = []

    def stop_at_the_third(file: StoredFile) -> str:
        asked.append(file.name)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return checksum_of(file)

    with monkeypatch.context() as stopping:
        stopping.setattr(transfer, "hash_stored_bytes", stop_at_the_third)
        with pytest.raises(
            CommandError, match=r"Stopped\. Moved 2 files .* to s3\. Run it again to go on\."
        ) as stopped:
            move_all("s3")
    assert stopped.value.returncode == 130
    assert agree() == {"local": 2, "cloudinary": 0, "s3": 2}
    assert move_all("s3").startswith("Moved 2 files")
    assert agree() == {"local": 0, "cloudinary": 0, "s3": 4}
    assert [bytes_of(file) for file in StoredFile.objects.order_by("pk")] == contents


def test_a_corrupted_copy_is_discarded(
    added: Callable[[str], list[bytes]], everywhere: Any, agree: Agree, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = added("local")
    everywhere("s3")
    monkeypatch.setattr(transfer, "hash_stored_bytes", lambda file: "0" * 64)
    with pytest.raises(CommandError, match=r"Moved 0 files .* 4 could not be moved, as told above: run it again\."):
        move_all("s3")
    assert agree() == {"local": 4, "cloudinary": 0, "s3": 0}
    assert [bytes_of(file) for file in StoredFile.objects.order_by("pk")] == contents


def test_damaged_files_are_not_moved(
    added: Callable[[str], list[bytes]], everywhere: Any, agree: Agree, folder: Any
) -> None:
    added("local")
    everywhere("s3")
    damaged = StoredFile.objects.order_by("pk")[3]
    (folder / damaged.name).write_bytes(b"hellO")
    with pytest.raises(CommandError, match="1 could not be moved"):
        move_all("s3")
    assert agree() == {"local": 1, "cloudinary": 0, "s3": 3}
    damaged.refresh_from_db()
    assert damaged.place == "local"


def test_a_file_that_cannot_be_moved_does_not_block_the_others(
    added: Callable[[str], list[bytes]], everywhere: Any, cloudinary_server: CloudinaryServer, agree: Agree, clock: Any
) -> None:
    added("local")
    everywhere("cloudinary")
    cloudinary_server.fail("upload", Failure.LOST, after=1)
    with pytest.raises(CommandError, match=r"Moved 3 files .* 1 could not be moved"):
        move_all("cloudinary")
    assert move_all("cloudinary").startswith("Moved 1 file ")
    clock.shift(stored_files.RETRY_DELAY)
    stored_files.delete_due_files()
    assert agree() == {"local": 0, "cloudinary": 4, "s3": 0}


def test_the_command_gives_up_on_a_storage_that_is_down(
    creator: MaterialsApi, everywhere: Any, cloudinary_server: CloudinaryServer, agree: Agree
) -> None:
    everywhere("local")
    for number in range(8):
        creator.add_file("a.txt", f"text {number}".encode())
    everywhere("cloudinary")
    cloudinary_server.fail("upload", Failure.ERROR, times=20)
    with pytest.raises(CommandError, match=r"Moved 0 files .* Given up after 5 failures in a row\."):
        move_all("cloudinary")
    assert len(cloudinary_server.list_requests("upload")) == 5


def test_a_file_that_is_replaced_meanwhile_is_not_moved(
    creator: MaterialsApi, everywhere: Any, agree: Agree, monkeypatch: pytest.MonkeyPatch
) -> None:
    everywhere("local")
    row = creator.add_file("a.txt", b"before").json()
    everywhere("s3")
    checksum_of = transfer.hash_stored_bytes

    def replace(file: StoredFile) -> str:
        form = {"file": SimpleUploadedFile("b.txt", b"after")}
        assert creator.put_form(f"{PATH}{row['id']}/", form).status_code == 200
        return checksum_of(file)

    monkeypatch.setattr(transfer, "hash_stored_bytes", replace)
    assert move_all("s3").startswith("Moved 0 files")
    stored_files.delete_due_files()
    assert agree() == {"local": 0, "cloudinary": 0, "s3": 1}
    assert bytes_of(StoredFile.objects.get()) == b"after"


def test_a_file_that_is_deleted_meanwhile_stays_deleted(
    creator: MaterialsApi, everywhere: Any, agree: Agree, monkeypatch: pytest.MonkeyPatch
) -> None:
    everywhere("local")
    row = creator.add_file("a.txt", b"before").json()
    everywhere("s3")
    checksum_of = transfer.hash_stored_bytes

    def delete(file: StoredFile) -> str:
        assert creator.delete(f"{PATH}{row['id']}/").status_code == 204
        return checksum_of(file)

    monkeypatch.setattr(transfer, "hash_stored_bytes", delete)
    assert move_all("s3").startswith("Moved 0 files")
    stored_files.delete_due_files()
    assert agree() == {"local": 0, "cloudinary": 0, "s3": 0}


def test_a_moved_file_still_waits_for_the_virus_scanner(added: Callable[[str], list[bytes]], everywhere: Any) -> None:
    added("local")
    StoredFile.objects.filter(content_type="image/png").update(scan_at=None)
    everywhere("s3")
    move_all("s3")
    assert StoredFile.objects.get(scan_at=None).content_type == "image/png"
    assert StoredFile.objects.exclude(scan_at=None).count() == 3


def test_a_file_with_a_name_of_an_earlier_version_can_be_moved(
    creator: MaterialsApi, everywhere: Any, agree: Agree, folder: Any
) -> None:
    everywhere("local")
    creator.add_file("a.txt", b"hello")
    file = StoredFile.objects.get()
    old = f"{file.sha256[:2]}/{file.sha256[:40]}"
    (folder / old).parent.mkdir()
    (folder / file.name).rename(folder / old)
    StoredFile.objects.update(name=old)
    everywhere("cloudinary")
    move_all("cloudinary")
    assert agree() == {"local": 0, "cloudinary": 1, "s3": 0}
    assert StoredFile.objects.get().name.startswith("raw/")


def test_a_file_that_is_deleted_before_it_is_read_is_not_a_failure(
    added: Callable[[str], list[bytes]], everywhere: Any, agree: Agree, creator: MaterialsApi, monkeypatch: Any
) -> None:
    added("local")
    everywhere("s3")
    read = transfer._read_to_temporary_file

    def delete_and_read(file: StoredFile) -> Any:
        for row in creator.get(PATH).json()[:1]:
            creator.delete(f"{PATH}{row['id']}/")
            stored_files.delete_due_files()
        return read(file)

    monkeypatch.setattr(transfer, "_read_to_temporary_file", delete_and_read)
    assert move_all("s3").startswith("Moved ")
    assert agree()["local"] == 0


def test_a_file_attached_while_the_command_runs_is_moved_too(
    added: Callable[[str], list[bytes]], everywhere: Any, agree: Agree, monkeypatch: pytest.MonkeyPatch
) -> None:
    added("local")
    everywhere("s3")
    first = StoredFile.objects.earliest("pk")
    StoredFile.objects.filter(pk=first.pk).update(sweep_at=first.created_at + stored_files.STAGING_TIMEOUT)
    checksum_of = transfer.hash_stored_bytes

    def link(file: StoredFile) -> str:
        StoredFile.objects.filter(pk=first.pk).update(sweep_at=None)
        return checksum_of(file)

    monkeypatch.setattr(transfer, "hash_stored_bytes", link)
    assert move_all("s3").startswith("Moved 4 files")
    assert agree() == {"local": 0, "cloudinary": 0, "s3": 4}
