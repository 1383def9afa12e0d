"""What every storage does, wherever it keeps its files."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from django.core.exceptions import SuspiciousOperation
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from tests.core.storages.samples import ALL_BYTES, NAME, PNG, SAMPLES

from core.storages import ListableStorage, Refused, SignedUrlStorage

PICTURE = f"image/{NAME}.png"
DOCUMENT = f"raw/{NAME}.pdf"
MEBIBYTE = 1024 * 1024


def read(storage: Any, name: str) -> bytes:
    with storage.open(name, "rb") as file:
        return bytes(file.read())


def listed(storage: Any) -> list[tuple[str, int]]:
    return sorted((found.name, found.size) for found in storage.walk())


class Failing(ContentFile):  # type: ignore[type-arg]
    """One that can be read no further than its middle."""

    def read(self, size: int = -1) -> bytes:
        if self.tell() >= self.size // 2:
            raise OSError("The disk is broken")
        return self.file.read(min(size, self.size // 2) if size > 0 else self.size // 2)


# Saving and reading


def test_what_is_saved_is_read_back(storage: Storage) -> None:
    storage.save(DOCUMENT, ContentFile(b"%PDF-1.7"))

    assert read(storage, DOCUMENT) == b"%PDF-1.7"


def test_a_large_file_is_read_back(storage: Storage) -> None:
    content = ALL_BYTES * (13 * MEBIBYTE // len(ALL_BYTES))

    storage.save(DOCUMENT, ContentFile(content))

    assert read(storage, DOCUMENT) == content


def test_a_file_is_called_what_it_was_to_be_called(storage: Storage) -> None:
    assert storage.save(PICTURE, ContentFile(PNG)) == PICTURE


def test_each_name_leads_to_a_file_of_its_own(storage: Storage) -> None:
    contents = {name: content + name.encode() for name, content in SAMPLES.items()}
    for name, content in contents.items():
        storage.save(name, ContentFile(content))

    assert {name: read(storage, name) for name in contents} == contents


def test_bytes_are_left_as_they_are(storage: Storage) -> None:
    storage.save(DOCUMENT, ContentFile(ALL_BYTES))

    assert read(storage, DOCUMENT) == ALL_BYTES


def test_a_file_is_saved_from_its_beginning_wherever_it_stands(storage: Storage) -> None:
    content = ContentFile(b"%PDF-1.7")
    content.seek(5)

    storage.save(DOCUMENT, content)

    assert read(storage, DOCUMENT) == b"%PDF-1.7"


def test_the_file_that_was_saved_is_left_open(storage: Storage) -> None:
    content = SimpleUploadedFile("notes.pdf", b"%PDF-1.7")

    storage.save(DOCUMENT, content)

    content.seek(0)
    assert content.read() == b"%PDF-1.7"


def test_an_upload_that_lies_on_the_disk_is_left_there(storage: Storage) -> None:
    with TemporaryUploadedFile("notes.pdf", "application/pdf", 8, None) as content:
        content.write(b"%PDF-1.7")
        content.flush()

        storage.save(DOCUMENT, content)

        with open(content.temporary_file_path(), "rb") as file:  # noqa: PTH123 - Django knows it as text
            assert file.read() == b"%PDF-1.7"
    assert read(storage, DOCUMENT) == b"%PDF-1.7"


def test_a_file_is_read_in_pieces_and_from_any_position(storage: Storage) -> None:
    storage.save(DOCUMENT, ContentFile(b"0123456789"))

    with storage.open(DOCUMENT, "rb") as file:
        assert file.read(4) == b"0123"
        file.seek(8)
        assert file.read(4) == b"89"
        assert file.size == 10


def test_the_name_of_another_file_is_not_taken_from_it(storage: Storage) -> None:
    first = storage.save(PICTURE, ContentFile(PNG + b"1"))
    second = storage.save(PICTURE, ContentFile(PNG + b"2"))

    assert (first, read(storage, first)) == (PICTURE, PNG + b"1")
    assert second != PICTURE
    assert read(storage, second) == PNG + b"2"


def test_the_same_bytes_are_another_file_the_second_time(storage: Storage) -> None:
    first = storage.save(PICTURE, ContentFile(PNG))
    second = storage.save(PICTURE, ContentFile(PNG))

    storage.delete(first)

    assert read(storage, second) == PNG


def test_many_threads_save_and_read_at_once(storage: Storage) -> None:
    def save_and_read(number: int) -> bytes:
        return read(storage, storage.save(f"raw/{NAME[:2]}/{number}", ContentFile(b"%d" % number)))

    with ThreadPoolExecutor(max_workers=8) as threads:
        contents = list(threads.map(save_and_read, range(12)))

    assert contents == [b"%d" % number for number in range(12)]


def test_of_a_file_that_cannot_be_read_to_its_end_nothing_is_saved(storage: Any) -> None:
    with pytest.raises(OSError):
        storage.save(DOCUMENT, Failing(bytes(MEBIBYTE)))

    assert not storage.exists(DOCUMENT)
    assert listed(storage) == []


def test_an_empty_file_is_saved_or_refused(storage: Storage, place: str) -> None:
    if place == "cloudinary":
        with pytest.raises(Refused):
            storage.save(DOCUMENT, ContentFile(b""))
    else:
        assert read(storage, storage.save(DOCUMENT, ContentFile(b""))) == b""


# What there is


def test_a_file_that_is_there_exists_and_another_does_not(storage: Storage) -> None:
    storage.save(PICTURE, ContentFile(PNG))

    assert storage.exists(PICTURE)
    assert not storage.exists(PICTURE.replace(".png", ".gif"))


def test_the_size_of_a_file_is_that_of_its_bytes(storage: Storage) -> None:
    storage.save(PICTURE, ContentFile(PNG))

    assert storage.size(PICTURE) == len(PNG)


def test_the_time_at_which_a_file_was_stored_has_a_time_zone(storage: Storage) -> None:
    storage.save(PICTURE, ContentFile(PNG))

    assert storage.get_modified_time(PICTURE).utcoffset() is not None


def test_what_is_not_there_has_no_size(storage: Storage) -> None:
    with pytest.raises(FileNotFoundError):
        storage.size(PICTURE)


@pytest.mark.parametrize("name", [PICTURE, DOCUMENT, NAME])
def test_what_is_not_there_is_not_opened(storage: Storage, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        storage.open(name, "rb")


@pytest.mark.parametrize("name", ["../materials2/secret", "raw/../../materials2/secret"])
def test_what_lies_elsewhere_is_not_opened(storage: Storage, name: str) -> None:
    with pytest.raises(SuspiciousOperation):
        storage.open(name, "rb")


# Deleting


def test_a_deleted_file_is_gone(storage: Any) -> None:
    storage.save(PICTURE, ContentFile(PNG))

    storage.delete(PICTURE)

    assert not storage.exists(PICTURE)
    assert listed(storage) == []


def test_deleting_what_is_not_there_is_fine(storage: Storage) -> None:
    storage.delete(PICTURE)


def test_nothing_is_deleted_without_a_name(storage: Any) -> None:
    storage.save(PICTURE, ContentFile(PNG))

    with pytest.raises(ValueError):
        storage.delete("")

    assert storage.exists(PICTURE)


# Listing


def test_each_can_be_listed(storage: Storage) -> None:
    assert isinstance(storage, ListableStorage)


def test_nothing_is_listed_where_nothing_was_saved(storage: Any) -> None:
    assert listed(storage) == []


def test_everything_is_listed_by_the_name_under_which_it_was_saved(
    storage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "page_size", 7, raising=False)
    for name, content in SAMPLES.items():
        storage.save(name, ContentFile(content))

    assert listed(storage) == sorted((name, len(content)) for name, content in SAMPLES.items())


def test_a_name_of_64_characters_is_listed_as_it_is(storage: Any) -> None:
    name = f"raw/{'a' * 55}.docx"

    assert storage.save(name, ContentFile(b"x")) == name

    assert listed(storage) == [(name, 1)]


def test_what_a_neighbour_has_is_not_listed(storage: Any, neighbour: Any) -> None:
    neighbour.save(PICTURE, ContentFile(PNG))
    storage.save(DOCUMENT, ContentFile(b"%PDF-1.7"))

    assert listed(storage) == [(DOCUMENT, 8)]


def test_what_a_neighbour_has_is_not_touched(storage: Storage, neighbour: Storage) -> None:
    neighbour.save(PICTURE, ContentFile(PNG))

    storage.delete(PICTURE)

    assert not storage.exists(PICTURE)
    assert read(neighbour, PICTURE) == PNG


@pytest.mark.parametrize(
    ("folder", "folders", "files"),
    [("", ["3f", "image", "raw"], []), ("raw", ["3f"], []), ("image/3f", [], ["a.png"]), ("3f", [], ["old"])],
)
def test_a_folder_has_what_was_saved_in_it(storage: Storage, folder: str, folders: list[str], files: list[str]) -> None:
    for name in ("raw/3f/a.pdf", "image/3f/a.png", "3f/old"):
        storage.save(name, ContentFile(PNG))

    found = storage.listdir(folder)

    assert (sorted(found[0]), sorted(found[1])) == (folders, files)


# Addresses


def test_only_what_lies_elsewhere_has_addresses_there(storage: Storage, place: str) -> None:
    assert isinstance(storage, SignedUrlStorage) == (place != "local")


@pytest.mark.parametrize("name", [PICTURE, f"video/{NAME}.m4a", DOCUMENT, NAME])
def test_a_stranger_reads_a_file_at_its_address(remote_storage: Any, name: str) -> None:
    remote_storage.save(name, ContentFile(SAMPLES[name]))

    address = remote_storage.build_signed_url(name, file_name="Übung.png", content_type="image/png", inline=False)

    assert requests.get(address, timeout=5).content == SAMPLES[name]


@pytest.mark.parametrize("name", [PICTURE, DOCUMENT])
def test_a_stranger_reads_a_file_at_its_url(remote_storage: Storage, name: str) -> None:
    remote_storage.save(name, ContentFile(PNG))

    assert requests.get(remote_storage.url(name), timeout=5).content == PNG


@pytest.mark.parametrize(("name", "other"), [(PICTURE, PICTURE.replace("3f", "4f")), (DOCUMENT, f"raw/{NAME}.txt")])
def test_the_address_of_one_file_does_not_lead_to_another(remote_storage: Any, name: str, other: str) -> None:
    remote_storage.save(name, ContentFile(PNG))
    remote_storage.save(other, ContentFile(PNG))
    address = remote_storage.build_signed_url(name, file_name="a.png", content_type="image/png", inline=True)
    to_other = remote_storage.build_signed_url(other, file_name="a.png", content_type="image/png", inline=True)

    changed = _with_path_of(address, to_other)

    assert changed != address
    assert requests.get(changed, timeout=5).status_code in {401, 403}


def test_the_address_of_what_is_not_there_leads_nowhere(remote_storage: Any) -> None:
    address = remote_storage.build_signed_url(PICTURE, file_name="a.png", content_type="image/png", inline=True)

    # S3 tells only those who may list the bucket what it does not have.
    assert requests.get(address, timeout=5).status_code in {403, 404}


def test_remote_files_are_written_by_saving_them(remote_storage: Storage) -> None:
    with pytest.raises(ValueError):
        remote_storage.open(DOCUMENT, "wb")


def _with_path_of(address: str, other: str) -> str:
    """The first address, leading to the file of the other: everything is exchanged but what signs it."""
    ours, theirs = address.split("/"), other.split("/")
    ours[-1], query = theirs[-1].split("?")[0], ours[-1].partition("?")[2]
    differing = [position for position, part in enumerate(ours[:-1]) if part != theirs[position]]
    for position in differing:
        if not ours[position].startswith("s--"):
            ours[position] = theirs[position]
    return "/".join(ours) + (f"?{query}" if query else "")
