"""`verify_materials`: finding and repairing lost files, damaged files and orphans."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.test import Client
from tests.modules.materials.conftest import PATH, MaterialsApi

from core.facts.models import FactRecord
from modules.materials.files import stored_files, verification
from modules.materials.models import Material, StoredFile

Agree = Callable[[], dict[str, int]]

ABANDONED = f"raw/ab/{'ab' * 20}.txt"
DISAGREE = "Bytes and files do not agree."
MENDABLE = f"{DISAGREE} --repair mends what can be mended."


class Verified:
    """The output of the command, and whether it succeeded."""

    def __init__(self, *arguments: str) -> None:
        output = io.StringIO()
        self.complaint = ""
        try:
            call_command("verify_materials", *arguments, stdout=output)
        except CommandError as error:
            self.complaint = str(error)
        self.lines = output.getvalue().splitlines()

    def line_of(self, place: str) -> str:
        return next(line for line in self.lines if line.startswith(f"{place}:"))


def add(creator: MaterialsApi, *contents: bytes) -> list[StoredFile]:
    for content in contents:
        assert creator.add_file("a.txt", content).status_code == 201
    return list(StoredFile.objects.order_by("pk"))


def lose(file: StoredFile) -> None:
    storages[f"materials_{file.place}"].delete(file.name)


def test_files_that_agree_pass(place: str, creator: MaterialsApi) -> None:
    add(creator, b"one", b"two")
    verified = Verified("--checksums")
    assert verified.complaint == ""
    sentence = "2 files agree, 0 bytes of no file, 0 files without bytes, 0 damaged files."
    assert verified.line_of(place) == f"{place}: {sentence}"


def test_no_files_pass() -> None:
    assert Verified().lines == ["local: 0 files agree, 0 bytes of no file, 0 files without bytes, 0 damaged files."]


def test_orphans_are_found_and_deleted(place: str, creator: MaterialsApi, agree: Agree) -> None:
    kept, _ = add(creator, b"one", b"two")
    name = ABANDONED
    assert storages[f"materials_{place}"].save(name, ContentFile(b"nobody's")) == name
    found = Verified()
    assert found.complaint == MENDABLE
    assert found.line_of(place).startswith(f"{place}: 2 files agree, 1 bytes of no file,")
    assert f"  bytes of no file: {name}, 8 bytes" in found.lines
    assert storages[f"materials_{place}"].exists(name)
    mended = Verified("--repair")
    assert mended.complaint == ""
    assert "  deleted the bytes of 1" in mended.lines
    assert agree()[place] == 2
    assert StoredFile.objects.earliest("pk") == kept
    assert Verified().complaint == ""


def test_lost_files_are_found_and_their_materials_removed(place: str, creator: MaterialsApi, agree: Agree) -> None:
    lost, *_ = add(creator, b"one", b"two", b"three")
    lose(lost)
    material = Material.objects.get(file=lost)
    found = Verified()
    assert found.complaint == MENDABLE
    assert f"  files without bytes: {lost.name}, material {material.pk}" in found.lines
    assert Material.objects.count() == 3
    mended = Verified("--repair")
    assert mended.complaint == ""
    assert "  removed 1 materials whose files are lost" in mended.lines
    assert not Material.objects.filter(pk=material.pk).exists()
    assert agree()[place] == Material.objects.count() == 2
    record = FactRecord.objects.get(name="materials.MaterialRemoved")
    assert (record.actor, record.reason) == (None, "Its file was lost; add it again, please.")


def test_nothing_is_removed_if_most_files_are_lost(creator: MaterialsApi, settings: Any, tmp_path: Any) -> None:
    add(creator, b"one", b"two", b"three")
    right = settings.STORAGES
    wrong = {"BACKEND": "core.storages.local.LocalStorage", "OPTIONS": {"location": str(tmp_path / "elsewhere")}}
    settings.STORAGES = {**right, "materials_local": wrong}
    verified = Verified("--repair")
    assert verified.complaint == DISAGREE
    assert any("nothing was mended, since most files are not there" in line for line in verified.lines)
    assert Material.objects.count() == 3
    settings.STORAGES = right
    assert Verified().complaint == ""
    settings.STORAGES = {**right, "materials_local": wrong}
    assert Verified("--repair", "--even-if-most").complaint == ""
    assert not Material.objects.exists()


def test_nothing_is_deleted_if_most_bytes_are_orphans(creator: MaterialsApi, folder: Any) -> None:
    """As with an empty database, one of yesterday, or that of another installation."""
    add(creator, b"one", b"two", b"three")
    Material.objects.all().delete()
    StoredFile.objects.all().delete()
    verified = Verified("--repair")
    assert verified.complaint == DISAGREE
    assert any("most bytes that are there belong to no file here" in line for line in verified.lines)
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 3
    assert Verified("--repair", "--even-if-most").complaint == ""
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_other_files_in_the_folder_are_skipped(creator: MaterialsApi, folder: Any) -> None:
    add(creator, b"one")
    for name in ("notes.txt", ".hidden", "school/raw/ab/" + "ab" * 20, "raw/ab/short.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"somebody else's")
    verified = Verified("--repair")
    assert verified.complaint == ""
    assert verified.line_of("local").startswith("local: 1 files agree, 0 bytes of no file,")
    assert (folder / "notes.txt").exists()


def test_a_storage_that_is_down_does_not_block_the_others(
    creator: MaterialsApi, set_up: Callable[[str], Any], s3_server: Any
) -> None:
    set_up("s3")
    add(creator, b"one")
    s3_server.is_busy = True
    verified = Verified()
    assert verified.line_of("local").startswith("local: 1 files agree")
    assert verified.line_of("s3").startswith("s3: cannot be compared: ")
    assert verified.complaint == DISAGREE


def test_files_deleted_or_moved_while_being_read_are_not_damaged(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, set_up: Callable[[str], Any]
) -> None:
    from modules.materials.files.transfer import move_file

    set_up("s3")
    first, second, _ = add(creator, b"one", b"two", b"three")
    checksum_of = verification.hash_stored_bytes

    def read_while_others_go_on(file: StoredFile) -> str:
        if file == first:
            creator.delete(f"{PATH}{Material.objects.get(file=first).pk}/")
            stored_files.delete_due_files()
        if file == second:
            move_file(second, to="s3")
        return checksum_of(file)

    monkeypatch.setattr(verification, "hash_stored_bytes", read_while_others_go_on)
    assert Verified("--checksums").complaint == ""


def test_files_of_another_length_are_found_and_left_alone(creator: MaterialsApi, folder: Any, agree: Agree) -> None:
    damaged, _ = add(creator, b"one", b"two")
    (folder / damaged.name).write_bytes(b"on")
    for arguments in ([], ["--repair"]):
        verified = Verified(*arguments)
        assert verified.complaint.startswith(DISAGREE)
        assert (
            f"  damaged files: {damaged.name}, material {Material.objects.get(file=damaged).pk}: 2 bytes instead of 3"
            in (verified.lines)
        )
    assert agree() == {"local": 2}
    assert Material.objects.count() == 2


def test_other_bytes_of_the_same_length_are_found_by_their_hash(place: str, creator: MaterialsApi, folder: Any) -> None:
    damaged, _ = add(creator, b"one", b"two")
    StoredFile.objects.filter(pk=damaged.pk).update(sha256="0" * 64)
    assert Verified().complaint == ""
    verified = Verified("--checksums")
    assert verified.complaint == DISAGREE
    assert [line for line in verified.lines if line.endswith(": other bytes than were stored")]


def test_released_files_agree_and_are_deleted_by_a_repair(place: str, creator: MaterialsApi, agree: Agree) -> None:
    row = creator.add_file("a.txt", b"one").json()
    assert creator.delete(f"{PATH}{row['id']}/").status_code == 204
    assert agree()[place] == 1
    assert Verified().complaint == ""
    assert agree()[place] == 1
    assert Verified("--repair").complaint == ""
    assert agree()[place] == 0


def test_an_upload_in_progress_agrees(creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    write = stored_files._write
    said: list[str] = []

    def verify_before_and_after(file: StoredFile, upload: Any) -> None:
        said.append(Verified("--repair").complaint)
        write(file, upload)
        said.append(Verified("--repair").complaint)

    monkeypatch.setattr(stored_files, "_write", verify_before_and_after)
    added = creator.add_file("a.txt", b"one").json()
    assert said == ["", ""]
    assert Client().get(added["file"]).getvalue() == b"one"  # type: ignore[attr-defined]


def test_files_deleted_or_moved_during_the_listing_are_not_lost(
    creator: MaterialsApi, monkeypatch: pytest.MonkeyPatch, set_up: Callable[[str], Any]
) -> None:
    from core.storages.local import LocalStorage
    from modules.materials.files.transfer import move_file

    set_up("s3")
    first, second, _ = add(creator, b"one", b"two", b"three")
    walk = LocalStorage.walk

    def walk_while_others_go_on(self: LocalStorage) -> Any:
        creator.delete(f"{PATH}{Material.objects.get(file=first).pk}/")
        stored_files.delete_due_files()
        move_file(second, to="s3")
        yield from walk(self)

    monkeypatch.setattr(LocalStorage, "walk", walk_while_others_go_on)
    assert Verified("--repair").complaint == ""
    assert Material.objects.count() == 2


def test_files_in_a_storage_that_is_not_configured_are_reported(
    creator: MaterialsApi, set_up: Callable[[str], Any], settings: Any
) -> None:
    set_up("s3")
    settings.MATERIALS_STORAGE = "s3"
    add(creator, b"one")
    settings.STORAGES = {name: value for name, value in settings.STORAGES.items() if name != "materials_s3"}
    settings.MATERIALS_STORAGE = "local"
    verified = Verified("--repair")
    assert verified.complaint == DISAGREE
    assert verified.lines[-1] == "s3: 1 files, but it is not set up here."
    assert Material.objects.count() == 1


def test_only_the_first_findings_are_shown(creator: MaterialsApi) -> None:
    for number in range(25):
        storages["materials_local"].save(f"raw/ab/{'ab' * 19}{number:02}.txt", ContentFile(b"x"))
    shown = [line for line in Verified().lines if line.startswith("  bytes of no file: ")]
    assert len(shown) == 21
    assert shown[-1] == "  bytes of no file: and 5 more"


def test_the_number_of_queries_does_not_grow_with_the_files(
    creator: MaterialsApi, django_assert_num_queries: Any
) -> None:
    add(creator, b"one", b"two", b"three", b"four")
    with django_assert_num_queries(4):
        Verified()
