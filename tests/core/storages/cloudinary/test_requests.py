"""What the storage sends to Cloudinary and reads from it."""

import gc
import tempfile
import tracemalloc
from typing import Any

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile, File
from tests.cloudinary_server import CloudinaryServer, Failure
from tests.core.storages.cloudinary.arrangements import CALLS, DOCUMENT, MEBIBYTE, PICTURE, address_of
from tests.core.storages.samples import NAME, PNG, SAMPLES

from core.storages import OutcomeUnknown, Refused
from core.storages.cloudinary import CloudinaryStorage


@pytest.mark.parametrize(
    ("name", "kind", "public_id"),
    [
        (PICTURE, "image", f"materials/{NAME}_png"),
        (f"image/{NAME}", "image", f"materials/{NAME}_"),
        (f"video/{NAME}.m4a", "video", f"materials/{NAME}_m4a"),
        (DOCUMENT, "raw", f"materials/{NAME}.pdf"),
        (NAME, "raw", f"materials/other/{NAME}"),
    ],
)
def test_a_name_says_of_which_kind_a_file_is_and_by_which_public_id(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer, name: str, kind: str, public_id: str
) -> None:
    storage.save(name, ContentFile(SAMPLES[name]))

    assert list(cloudinary_server.stored) == [(kind, "authenticated", public_id)]


def test_what_others_have_put_among_the_files_is_not_listed(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    storage.save(PICTURE, ContentFile(PNG))
    (ours,) = cloudinary_server.stored.values()
    for public_id in ("materials/holiday", "materials/a.b_png", "materials/", "materials/a//b_png"):
        theirs = type(ours)(**{**vars(ours), "public_id": public_id})
        cloudinary_server.stored["image", "authenticated", public_id] = theirs

    assert [found.name for found in storage.walk()] == [PICTURE]


@pytest.mark.parametrize("name", ["raw/a?b", "raw/100%25", "raw/a#b", "/raw/a", "raw//a", "raw/a\nb", "raw/ ", ""])
def test_a_name_that_cloudinary_would_not_keep_as_it_is_is_not_taken(storage: CloudinaryStorage, name: str) -> None:
    with pytest.raises(SuspiciousFileOperation):
        storage.exists(name)


def test_few_of_the_questions_that_are_counted_are_asked(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    storage.save(PICTURE, ContentFile(PNG))
    storage.open(PICTURE, "rb").close()
    address_of(storage, PICTURE)
    storage.delete(PICTURE)

    assert [asked.action for asked in cloudinary_server.requests] == ["upload", "delivery", "destroy"]


@pytest.mark.parametrize("link_seconds", [None, 600])
def test_an_address_is_made_without_asking_anybody(
    cloudinary_server: CloudinaryServer, link_seconds: int | None
) -> None:
    storage = CloudinaryStorage(**cloudinary_server.options, link_seconds=link_seconds)

    address_of(storage, PICTURE)
    storage.url(PICTURE)

    assert cloudinary_server.requests == []


def test_a_large_file_is_sent_in_parts_and_a_small_one_as_a_whole(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    storage.save(DOCUMENT, ContentFile(bytes(13 * MEBIBYTE)))
    storage.save(PICTURE, ContentFile(PNG))

    assert [asked.headers.get("Content-Range") for asked in cloudinary_server.asked("upload")] == [
        "bytes 0-6291455/13631488",
        "bytes 6291456-12582911/13631488",
        "bytes 12582912-13631487/13631488",
        None,
    ]


def test_the_copies_of_a_deleted_file_are_deleted_too(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    storage.delete(PICTURE)

    (asked,) = cloudinary_server.asked("destroy")
    assert asked.form["invalidate"] == "1"


def test_a_file_is_never_held_in_memory(storage: CloudinaryStorage) -> None:
    with tempfile.TemporaryFile() as large:
        large.truncate(30 * MEBIBYTE)
        gc.collect()
        tracemalloc.start()
        storage.save(DOCUMENT, File(large))
        with storage.open(DOCUMENT, "rb") as file:
            assert file.size == 30 * MEBIBYTE
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert peak < storage.part_size


@pytest.mark.parametrize("kind", ["image", "video"])
def test_a_file_that_cloudinary_cannot_read_is_refused_in_its_words(storage: CloudinaryStorage, kind: str) -> None:
    with pytest.raises(Refused, match=r"Invalid image file|Unsupported video format"):
        storage.save(f"{kind}/{NAME}.png", ContentFile(b"nothing of that kind"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"public_id": "materials/another"},
        {"resource_type": "raw"},
        {"type": "upload"},
        {"bytes": len(PNG) - 1},
        {"bytes": None},
        {"etag": "0" * 32},
    ],
)
def test_a_file_that_is_not_stored_as_it_was_sent_is_not_saved(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer, wrong: dict[str, Any]
) -> None:
    cloudinary_server.misreports = wrong

    with pytest.raises(OutcomeUnknown):
        storage.save(PICTURE, ContentFile(PNG))


def test_an_etag_that_is_no_md5_says_nothing_of_the_bytes(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    cloudinary_server.misreports = {"etag": "0123456789abcdef0123456789abcdef-3"}

    assert storage.save(PICTURE, ContentFile(PNG)) == PICTURE


def test_a_file_that_always_finds_another_in_its_place_is_not_sent_for_ever(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    cloudinary_server.misreports = {"existing": True}

    with pytest.raises(FileExistsError):
        storage.save(PICTURE, ContentFile(PNG))

    assert len(cloudinary_server.asked("upload")) == 3


def test_a_clock_that_is_wrong_is_not_the_fault_of_the_file(
    storage: CloudinaryStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudinary.utils.now", lambda: "1")

    with pytest.raises(OutcomeUnknown, match="Stale request"):
        storage.save(PICTURE, ContentFile(PNG))


@pytest.mark.parametrize("wrong", [{"api_secret": "another"}, {"api_key": "1"}, {"cloud_name": "another"}])
@pytest.mark.parametrize("call", ["upload", "resource", "resources", "destroy"])
def test_wrong_credentials_are_not_taken_for_a_file_that_is_wrong_or_not_there(
    cloudinary_server: CloudinaryServer, wrong: dict[str, str], call: str
) -> None:
    storage = CloudinaryStorage(**{**cloudinary_server.options, **wrong})

    with pytest.raises(OutcomeUnknown, match="401"):
        CALLS[call](storage)


def test_a_wrong_secret_opens_nothing(storage: CloudinaryStorage, cloudinary_server: CloudinaryServer) -> None:
    storage.save(PICTURE, ContentFile(PNG))

    with pytest.raises(OutcomeUnknown, match="401"):
        CloudinaryStorage(**{**cloudinary_server.options, "api_secret": "another"}).open(PICTURE)


@pytest.mark.parametrize(
    ("call", "failure"),
    [
        (call, failure)
        for call in CALLS
        for failure in (Failure.ERROR, Failure.GARBAGE, Failure.SILENCE, Failure.RESET, Failure.LOST, Failure.CUT)
        # Whatever a host delivers may be a file.
        if (call, failure) != ("delivery", Failure.GARBAGE)
    ],
)
def test_what_fails_says_so(
    impatient: CloudinaryStorage, cloudinary_server: CloudinaryServer, call: str, failure: Failure
) -> None:
    impatient.save(PICTURE, ContentFile(PNG))
    cloudinary_server.fail(call, failure)

    with pytest.raises(OutcomeUnknown):
        CALLS[call](impatient)
