"""The behaviour that all storages share."""

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


def list_names(storage: Any) -> list[tuple[str, int]]:
    return sorted((found.name, found.size) for found in storage.walk())


class Failing(ContentFile):  # type: ignore[type-arg]
    """A file that fails in its middle."""

    def read(self, size: int = -1) -> bytes:
        if self.tell() >= self.size // 2:
            raise OSError("The disk is broken")
        return self.file.read(min(size, self.size // 2) if size > 0 else self.size // 2)


# Saving and reading


def test_a_saved_file_is_read_back(storage: Storage) -> None:
    storage.save(DOCUMENT, ContentFile(b"%PDF-1.7"))

    assert read(storage, DOCUMENT) == b"%PDF-1.7"


def test_a_large_file_is_read_back(storage: Storage) -> None:
    content = ALL_BYTES * (13 * MEBIBYTE // len(ALL_BYTES))

    storage.save(DOCUMENT, ContentFile(content))

    assert read(storage, DOCUMENT) == content


def test_a_file_is_saved_under_the_given_name(storage: Storage) -> None:
    assert storage.save(PICTURE, ContentFile(PNG)) == PICTURE


def test_different_names_are_different_files(storage: Storage) -> None:
    contents = {name: content + name.encode() for name, content in SAMPLES.items()}
    for name, content in contents.items():
        storage.save(name, ContentFile(content))

    assert {name: read(storage, name) for name in contents} == contents


def test_bytes_are_unchanged(storage: Storage) -> None:
    storage.save(DOCUMENT, ContentFile(ALL_BYTES))

    assert read(storage, DOCUMENT) == ALL_BYTES


def test_a_file_is_saved_from_its_beginning(storage: Storage) -> None:
    content = ContentFile(b"%PDF-1.7")
    content.seek(5)

    storage.save(DOCUMENT, content)

    assert read(storage, DOCUMENT) == b"%PDF-1.7"


def test_saving_does_not_close_the_file(storage: Storage) -> None:
    content = SimpleUploadedFile("notes.pdf", b"%PDF-1.7")

    storage.save(DOCUMENT, content)

    content.seek(0)
    assert content.read() == b"%PDF-1.7"


def test_a_temporary_upload_file_is_not_moved(storage: Storage) -> None:
    with TemporaryUploadedFile("notes.pdf", "application/pdf", 8, None) as content:
        content.write(b"%PDF-1.7")
        content.flush()

        storage.save(DOCUMENT, content)

        with open(content.temporary_file_path(), "rb") as file:  # noqa: PTH123 - Django knows it as text
            assert file.read() == b"%PDF-1.7"
    assert read(storage, DOCUMENT) == b"%PDF-1.7"


def test_a_file_is_read_in_chunks_and_from_any_position(storage: Storage) -> None:
    storage.save(DOCUMENT, ContentFile(b"0123456789"))

    with storage.open(DOCUMENT, "rb") as file:
        assert file.read(4) == b"0123"
        file.seek(8)
        assert file.read(4) == b"89"
        assert file.size == 10


def test_an_existing_file_is_not_overwritten(storage: Storage) -> None:
    first = storage.save(PICTURE, ContentFile(PNG + b"1"))
    second = storage.save(PICTURE, ContentFile(PNG + b"2"))

    assert (first, read(storage, first)) == (PICTURE, PNG + b"1")
    assert second != PICTURE
    assert read(storage, second) == PNG + b"2"


def test_the_same_bytes_are_saved_twice(storage: Storage) -> None:
    first = storage.save(PICTURE, ContentFile(PNG))
    second = storage.save(PICTURE, ContentFile(PNG))

    storage.delete(first)

    assert read(storage, second) == PNG


def test_threads_save_and_read_concurrently(storage: Storage) -> None:
    def save_and_read(number: int) -> bytes:
        return read(storage, storage.save(f"raw/{NAME[:2]}/{number}", ContentFile(b"%d" % number)))

    with ThreadPoolExecutor(max_workers=8) as threads:
        contents = list(threads.map(save_and_read, range(12)))

    assert contents == [b"%d" % number for number in range(12)]


def test_a_file_that_cannot_be_read_is_not_saved(storage: Any) -> None:
    with pytest.raises(OSError):
        storage.save(DOCUMENT, Failing(bytes(MEBIBYTE)))

    assert not storage.exists(DOCUMENT)
    assert list_names(storage) == []


def test_an_empty_file_is_saved_or_rejected(storage: Storage, place: str) -> None:
    if place == "cloudinary":
        with pytest.raises(Refused):
            storage.save(DOCUMENT, ContentFile(b""))
    else:
        assert read(storage, storage.save(DOCUMENT, ContentFile(b""))) == b""


# Existence, size and time


def test_exists_tells_whether_there_is_a_file(storage: Storage) -> None:
    storage.save(PICTURE, ContentFile(PNG))

    assert storage.exists(PICTURE)
    assert not storage.exists(PICTURE.replace(".png", ".gif"))


def test_the_size_is_in_bytes(storage: Storage) -> None:
    storage.save(PICTURE, ContentFile(PNG))

    assert storage.size(PICTURE) == len(PNG)


def test_times_are_aware(storage: Storage) -> None:
    storage.save(PICTURE, ContentFile(PNG))

    assert storage.get_modified_time(PICTURE).utcoffset() is not None


def test_the_size_of_a_missing_file_raises_file_not_found(storage: Storage) -> None:
    with pytest.raises(FileNotFoundError):
        storage.size(PICTURE)


@pytest.mark.parametrize("name", [PICTURE, DOCUMENT, NAME])
def test_opening_a_missing_file_raises_file_not_found(storage: Storage, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        storage.open(name, "rb")


@pytest.mark.parametrize("name", ["../materials2/secret", "raw/../../materials2/secret"])
def test_names_that_lead_out_of_the_storage_are_rejected(storage: Storage, name: str) -> None:
    with pytest.raises(SuspiciousOperation):
        storage.open(name, "rb")


# Deleting


def test_a_deleted_file_is_gone(storage: Any) -> None:
    storage.save(PICTURE, ContentFile(PNG))

    storage.delete(PICTURE)

    assert not storage.exists(PICTURE)
    assert list_names(storage) == []


def test_deleting_a_missing_file_is_no_error(storage: Storage) -> None:
    storage.delete(PICTURE)


def test_deleting_without_a_name_is_an_error(storage: Any) -> None:
    storage.save(PICTURE, ContentFile(PNG))

    with pytest.raises(ValueError):
        storage.delete("")

    assert storage.exists(PICTURE)


# Listing


def test_every_storage_is_listable(storage: Storage) -> None:
    assert isinstance(storage, ListableStorage)


def test_an_empty_storage_lists_nothing(storage: Any) -> None:
    assert list_names(storage) == []


def test_files_are_listed_by_their_names(storage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "page_size", 7, raising=False)
    for name, content in SAMPLES.items():
        storage.save(name, ContentFile(content))

    assert list_names(storage) == sorted((name, len(content)) for name, content in SAMPLES.items())


def test_a_name_of_64_characters_is_listed_unchanged(storage: Any) -> None:
    name = f"raw/{'a' * 55}.docx"

    assert storage.save(name, ContentFile(b"x")) == name

    assert list_names(storage) == [(name, 1)]


def test_files_of_another_prefix_are_not_listed(storage: Any, neighbour: Any) -> None:
    neighbour.save(PICTURE, ContentFile(PNG))
    storage.save(DOCUMENT, ContentFile(b"%PDF-1.7"))

    assert list_names(storage) == [(DOCUMENT, 8)]


def test_files_of_another_prefix_are_not_changed(storage: Storage, neighbour: Storage) -> None:
    neighbour.save(PICTURE, ContentFile(PNG))

    storage.delete(PICTURE)

    assert not storage.exists(PICTURE)
    assert read(neighbour, PICTURE) == PNG


@pytest.mark.parametrize(
    ("folder", "folders", "files"),
    [("", ["3f", "image", "raw"], []), ("raw", ["3f"], []), ("image/3f", [], ["a.png"]), ("3f", [], ["old"])],
)
def test_a_folder_lists_its_files(storage: Storage, folder: str, folders: list[str], files: list[str]) -> None:
    for name in ("raw/3f/a.pdf", "image/3f/a.png", "3f/old"):
        storage.save(name, ContentFile(PNG))

    found = storage.listdir(folder)

    assert (sorted(found[0]), sorted(found[1])) == (folders, files)


# URLs


def test_only_remote_storages_build_signed_urls(storage: Storage, place: str) -> None:
    assert isinstance(storage, SignedUrlStorage) == (place != "local")


@pytest.mark.parametrize("name", [PICTURE, f"video/{NAME}.m4a", DOCUMENT, NAME])
def test_a_file_is_read_at_its_signed_url(remote_storage: Any, name: str) -> None:
    remote_storage.save(name, ContentFile(SAMPLES[name]))

    url = remote_storage.build_signed_url(name, file_name="Übung.png", content_type="image/png", inline=False)

    assert requests.get(url, timeout=5).content == SAMPLES[name]


@pytest.mark.parametrize("name", [PICTURE, DOCUMENT])
def test_a_file_is_read_at_its_url(remote_storage: Storage, name: str) -> None:
    remote_storage.save(name, ContentFile(PNG))

    assert requests.get(remote_storage.url(name), timeout=5).content == PNG


@pytest.mark.parametrize(("name", "other"), [(PICTURE, PICTURE.replace("3f", "4f")), (DOCUMENT, f"raw/{NAME}.txt")])
def test_a_signature_is_valid_for_one_file_only(remote_storage: Any, name: str, other: str) -> None:
    remote_storage.save(name, ContentFile(PNG))
    remote_storage.save(other, ContentFile(PNG))
    url = remote_storage.build_signed_url(name, file_name="a.png", content_type="image/png", inline=True)
    to_other = remote_storage.build_signed_url(other, file_name="a.png", content_type="image/png", inline=True)

    changed = _exchange_path(url, to_other)

    assert changed != url
    assert requests.get(changed, timeout=5).status_code in {401, 403}


def test_the_url_of_a_missing_file_is_rejected(remote_storage: Any) -> None:
    url = remote_storage.build_signed_url(PICTURE, file_name="a.png", content_type="image/png", inline=True)

    # S3 answers 404 only to those who may list the bucket.
    assert requests.get(url, timeout=5).status_code in {403, 404}


def test_remote_files_cannot_be_opened_for_writing(remote_storage: Storage) -> None:
    with pytest.raises(ValueError):
        remote_storage.open(DOCUMENT, "wb")


def _exchange_path(url: str, other: str) -> str:
    """The first URL with the path of the second file, and its own signature."""
    ours, theirs = url.split("/"), other.split("/")
    ours[-1], query = theirs[-1].split("?")[0], ours[-1].partition("?")[2]
    differing = [position for position, part in enumerate(ours[:-1]) if part != theirs[position]]
    for position in differing:
        if not ours[position].startswith("s--"):
            ours[position] = theirs[position]
    return "/".join(ours) + (f"?{query}" if query else "")
