"""Files at Cloudinary: what it is asked and what not, what is made of its answers, and what happens without any."""

import gc
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import cloudinary
import pytest
import requests
import time_machine
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile, File
from tests.cloudinary_server import CloudinaryServer, Failure
from tests.core.storages.samples import NAME, PNG, SAMPLES

from core.storages import OutcomeUnknown, Refused
from core.storages.cloudinary import CloudinaryStorage
from core.time import clock

PICTURE = f"image/{NAME}.png"
DOCUMENT = f"raw/{NAME}.pdf"
MEBIBYTE = 1024 * 1024

CALLS: dict[str, Callable[[CloudinaryStorage], Any]] = {
    "upload": lambda storage: storage.save(PICTURE, ContentFile(PNG)),
    "delivery": lambda storage: storage.open(PICTURE, "rb"),
    "resource": lambda storage: storage.size(PICTURE),
    "resources": lambda storage: list(storage.walk()),
    "destroy": lambda storage: storage.delete(PICTURE),
}


@pytest.fixture
def storage(cloudinary_storage: CloudinaryStorage) -> CloudinaryStorage:
    return cloudinary_storage


@pytest.fixture
def impatient(cloudinary_server: CloudinaryServer) -> CloudinaryStorage:
    """One that waits no longer than a test can."""
    return CloudinaryStorage(**cloudinary_server.options, timeout=0.2)


@pytest.fixture
def forgetful(cloudinary_server: CloudinaryServer) -> CloudinaryStorage:
    """One whose addresses run out after ten minutes."""
    return CloudinaryStorage(**cloudinary_server.options, link_seconds=600)


def address_of(storage: CloudinaryStorage, name: str, *, inline: bool = False) -> str:
    return storage.build_signed_url(name, file_name="Übung.png", content_type="image/png", inline=inline)


# Where a file lies


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


# What is asked


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


# What it says


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


# What happens when it fails


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


@pytest.mark.parametrize("call", CALLS)
def test_nothing_is_tried_twice(impatient: CloudinaryStorage, cloudinary_server: CloudinaryServer, call: str) -> None:
    cloudinary_server.fail(call, Failure.LOST, times=5)

    with pytest.raises(OutcomeUnknown):
        CALLS[call](impatient)

    assert len(cloudinary_server.asked(call)) == 1


@pytest.mark.parametrize("call", ["upload", "resource", "resources", "destroy"])
def test_an_answer_that_comes_byte_by_byte_is_not_waited_for(
    impatient: CloudinaryStorage, cloudinary_server: CloudinaryServer, call: str
) -> None:
    impatient.save(PICTURE, ContentFile(PNG))
    cloudinary_server.fail(call, Failure.TRICKLE)

    with pytest.raises(OutcomeUnknown):
        CALLS[call](impatient)


def test_a_file_may_come_as_slowly_as_it_does(
    impatient: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    impatient.save(PICTURE, ContentFile(PNG))
    cloudinary_server.fail("delivery", Failure.TRICKLE)

    with impatient.open(PICTURE, "rb") as file:
        assert file.read() == PNG


@pytest.mark.parametrize("failure", [Failure.ERROR, Failure.RESET, Failure.LOST, Failure.CUT])
@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_file_of_which_a_part_fails_is_not_saved(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer, failure: Failure, part: int
) -> None:
    cloudinary_server.fail("upload", failure, after=part)

    with pytest.raises(OutcomeUnknown):
        storage.save(DOCUMENT, ContentFile(bytes(13 * MEBIBYTE)))


def test_a_file_whose_answer_was_lost_can_be_deleted(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    cloudinary_server.fail("upload", Failure.LOST)
    with pytest.raises(OutcomeUnknown):
        storage.save(PICTURE, ContentFile(PNG))
    assert cloudinary_server.stored

    storage.delete(PICTURE)

    assert not cloudinary_server.stored


def test_after_a_failure_everything_is_as_before(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    cloudinary_server.fail("upload", Failure.RESET)
    with pytest.raises(OutcomeUnknown):
        storage.save(PICTURE, ContentFile(PNG))

    assert storage.save(PICTURE, ContentFile(PNG)) == PICTURE


def test_a_service_that_is_not_there_has_not_answered(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    unreachable = CloudinaryStorage(**{**cloudinary_server.options, "api_url": "http://127.0.0.1:9"})

    with pytest.raises(OutcomeUnknown):
        unreachable.save(PICTURE, ContentFile(PNG))


# Addresses


def test_at_the_address_of_any_file_are_the_bytes_that_were_saved(storage: CloudinaryStorage) -> None:
    for name, content in SAMPLES.items():
        storage.save(name, ContentFile(content + name.encode()))

    found = {name: requests.get(address_of(storage, name), timeout=5).content for name in SAMPLES}

    assert found == {name: content + name.encode() for name, content in SAMPLES.items()}


def test_addresses_lead_to_cloudinary_where_nothing_else_is_said() -> None:
    storage = CloudinaryStorage(cloud_name="school", api_key="1", api_secret="secret")

    assert storage.url(PICTURE) == (
        f"https://res.cloudinary.com/school/image/authenticated/s--UltluZeR--/v1/materials/{NAME}_png"
    )


def test_an_address_that_runs_out_holds_until_then(forgetful: CloudinaryStorage) -> None:
    forgetful.save(PICTURE, ContentFile(PNG))
    address = address_of(forgetful, PICTURE)

    with time_machine.travel(clock.now() + timedelta(seconds=598), tick=False):
        assert requests.get(address, timeout=5).content == PNG


def test_an_address_that_has_run_out_leads_nowhere(forgetful: CloudinaryStorage) -> None:
    forgetful.save(PICTURE, ContentFile(PNG))
    address = address_of(forgetful, PICTURE)

    with time_machine.travel(clock.now() + timedelta(seconds=602), tick=False):
        assert requests.get(address, timeout=5).status_code == 401


def test_when_an_address_runs_out_cannot_be_changed(forgetful: CloudinaryStorage) -> None:
    forgetful.save(PICTURE, ContentFile(PNG))
    address = address_of(forgetful, PICTURE)

    later = address.replace("expires_at=1", "expires_at=2")

    assert later != address
    assert requests.get(later, timeout=5).status_code == 401


@pytest.mark.parametrize(("inline", "disposition"), [(False, "attachment"), (True, None)])
def test_at_an_address_that_runs_out_a_file_is_downloaded_unless_it_may_be_shown(
    forgetful: CloudinaryStorage, inline: bool, disposition: str | None
) -> None:
    forgetful.save(PICTURE, ContentFile(PNG))

    headers = requests.get(address_of(forgetful, PICTURE, inline=inline), timeout=5).headers

    assert (headers.get("Content-Disposition") or "").partition(";")[0] == (disposition or "")


@pytest.mark.parametrize("extension", [".png", ".jpg", ""])
def test_an_address_to_which_anything_is_added_leads_nowhere(storage: CloudinaryStorage, extension: str) -> None:
    storage.save(PICTURE, ContentFile(PNG))
    address = storage.url(PICTURE)
    unsigned = address.replace(urlsplit(address).path.split("/")[4] + "/", "")

    changed = address + extension if extension else unsigned

    assert requests.get(changed, timeout=5).status_code == 401


# What it does not go by


@pytest.fixture
def another_configuration(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All that the SDK takes from the environment of the process."""
    options = {
        "api_proxy": "http://127.0.0.1:9",
        "auth_token[key]": "00aabb",
        "cdn_subdomain": "true",
        "cname": "elsewhere.example.com",
        "dpr": "2.0",
        "long_url_signature": "true",
        "oauth_token": "a-token",
        "private_cdn": "true",
        "responsive_width": "true",
        "secure_distribution": "elsewhere.example.com",
        "shorten": "true",
        "signature_algorithm": "sha256",
        "signature_version": "1",
        "timeout": "1",
        "upload_prefix": "http://127.0.0.1:9",
        "upload_preset": "public",
        "use_fetch_format": "true",
        "use_root_path": "true",
    }
    query = "&".join(f"{name}={value}" for name, value in options.items())
    monkeypatch.setenv("CLOUDINARY_URL", f"cloudinary://key:secret@another?{query}")
    cloudinary.reset_config()
    assert cloudinary.config().cloud_name == "another"
    yield
    monkeypatch.undo()
    cloudinary.reset_config()


@pytest.mark.usefixtures("another_configuration")
@pytest.mark.parametrize("link_seconds", [None, 600])
def test_the_environment_of_the_process_changes_nothing(
    cloudinary_server: CloudinaryServer, link_seconds: int | None
) -> None:
    storage = CloudinaryStorage(**cloudinary_server.options, link_seconds=link_seconds)

    storage.save(PICTURE, ContentFile(PNG))

    assert requests.get(address_of(storage, PICTURE), timeout=5).content == PNG
    assert [found.name for found in storage.walk()] == [PICTURE]
    assert storage.exists(PICTURE)
    with storage.open(PICTURE, "rb") as file:
        assert file.read() == PNG
    storage.delete(PICTURE)
    assert not storage.exists(PICTURE)
    (upload,) = cloudinary_server.asked("upload")
    assert set(upload.form) == {
        *("api_key", "file", "overwrite", "public_id", "signature", "timestamp", "type"),
    }


@pytest.mark.usefixtures("another_configuration")
def test_the_environment_of_the_process_changes_no_address() -> None:
    storage = CloudinaryStorage(cloud_name="school", api_key="1", api_secret="secret")

    assert storage.url(PICTURE).startswith("https://res.cloudinary.com/school/image/authenticated/s--")
