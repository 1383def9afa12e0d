"""The requests to Cloudinary and the handling of its responses."""

import gc
import tempfile
import tracemalloc
from typing import Any

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile, File
from tests.cloudinary_server import CloudinaryServer, Failure
from tests.core.storages.cloudinary.arrangements import CALLS, DOCUMENT, MEBIBYTE, PICTURE, get_url
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
def test_a_name_maps_to_resource_type_and_public_id(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer, name: str, kind: str, public_id: str
) -> None:
    storage.save(name, ContentFile(SAMPLES[name]))

    assert list(cloudinary_server.stored) == [(kind, "authenticated", public_id)]


def test_files_of_other_applications_are_not_listed(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    storage.save(PICTURE, ContentFile(PNG))
    (ours,) = cloudinary_server.stored.values()
    for public_id in ("materials/holiday", "materials/a.b_png", "materials/", "materials/a//b_png"):
        theirs = type(ours)(**{**vars(ours), "public_id": public_id})
        cloudinary_server.stored["image", "authenticated", public_id] = theirs

    assert [found.name for found in storage.walk()] == [PICTURE]


@pytest.mark.parametrize("name", ["raw/a?b", "raw/100%25", "raw/a#b", "/raw/a", "raw//a", "raw/a\nb", "raw/ ", ""])
def test_names_that_cloudinary_would_change_are_rejected(storage: CloudinaryStorage, name: str) -> None:
    with pytest.raises(SuspiciousFileOperation):
        storage.exists(name)


def test_saving_and_reading_makes_few_calls_of_the_admin_api(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    storage.save(PICTURE, ContentFile(PNG))
    storage.open(PICTURE, "rb").close()
    get_url(storage, PICTURE)
    storage.delete(PICTURE)

    assert [asked.action for asked in cloudinary_server.requests] == ["upload", "delivery", "destroy"]


@pytest.mark.parametrize("link_seconds", [None, 600])
def test_building_a_url_makes_no_request(cloudinary_server: CloudinaryServer, link_seconds: int | None) -> None:
    storage = CloudinaryStorage(**cloudinary_server.options, link_seconds=link_seconds)

    get_url(storage, PICTURE)
    storage.url(PICTURE)

    assert cloudinary_server.requests == []


def test_large_files_are_sent_in_parts_and_small_ones_in_one_request(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    storage.save(DOCUMENT, ContentFile(bytes(13 * MEBIBYTE)))
    storage.save(PICTURE, ContentFile(PNG))

    assert [asked.headers.get("Content-Range") for asked in cloudinary_server.list_requests("upload")] == [
        "bytes 0-6291455/13631488",
        "bytes 6291456-12582911/13631488",
        "bytes 12582912-13631487/13631488",
        None,
    ]


def test_deleting_invalidates_copies_in_the_cdn(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    storage.delete(PICTURE)

    (asked,) = cloudinary_server.list_requests("destroy")
    assert asked.form["invalidate"] == "1"


def test_large_files_are_not_held_in_memory(storage: CloudinaryStorage) -> None:
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
def test_a_rejected_file_raises_refused_with_cloudinarys_message(storage: CloudinaryStorage, kind: str) -> None:
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
def test_a_response_that_differs_from_the_upload_raises_outcome_unknown(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer, wrong: dict[str, Any]
) -> None:
    cloudinary_server.misreports = wrong

    with pytest.raises(OutcomeUnknown):
        storage.save(PICTURE, ContentFile(PNG))


def test_an_etag_that_is_no_md5_is_ignored(storage: CloudinaryStorage, cloudinary_server: CloudinaryServer) -> None:
    cloudinary_server.misreports = {"etag": "0123456789abcdef0123456789abcdef-3"}

    assert storage.save(PICTURE, ContentFile(PNG)) == PICTURE


def test_the_number_of_alternative_names_is_limited(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    cloudinary_server.misreports = {"existing": True}

    with pytest.raises(FileExistsError):
        storage.save(PICTURE, ContentFile(PNG))

    assert len(cloudinary_server.list_requests("upload")) == 3


def test_a_stale_timestamp_raises_outcome_unknown(storage: CloudinaryStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudinary.utils.now", lambda: "1")

    with pytest.raises(OutcomeUnknown, match="Stale request"):
        storage.save(PICTURE, ContentFile(PNG))


@pytest.mark.parametrize("wrong", [{"api_secret": "another"}, {"api_key": "1"}, {"cloud_name": "another"}])
@pytest.mark.parametrize("call", ["upload", "resource", "resources", "destroy"])
def test_wrong_credentials_raise_outcome_unknown(
    cloudinary_server: CloudinaryServer, wrong: dict[str, str], call: str
) -> None:
    storage = CloudinaryStorage(**{**cloudinary_server.options, **wrong})

    with pytest.raises(OutcomeUnknown, match="401"):
        CALLS[call](storage)


def test_a_url_signed_with_a_wrong_secret_is_rejected(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    storage.save(PICTURE, ContentFile(PNG))

    with pytest.raises(OutcomeUnknown, match="401"):
        CloudinaryStorage(**{**cloudinary_server.options, "api_secret": "another"}).open(PICTURE)


@pytest.mark.parametrize(
    ("call", "failure"),
    [
        (call, failure)
        for call in CALLS
        for failure in (Failure.ERROR, Failure.GARBAGE, Failure.SILENCE, Failure.RESET, Failure.LOST, Failure.CUT)
        # A download has no shape that could be wrong.
        if (call, failure) != ("delivery", Failure.GARBAGE)
    ],
)
def test_every_error_raises_outcome_unknown(
    short_timeout_storage: CloudinaryStorage, cloudinary_server: CloudinaryServer, call: str, failure: Failure
) -> None:
    short_timeout_storage.save(PICTURE, ContentFile(PNG))
    cloudinary_server.fail(call, failure)

    with pytest.raises(OutcomeUnknown):
        CALLS[call](short_timeout_storage)
