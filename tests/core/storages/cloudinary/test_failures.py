"""URLs, settings and failures of Cloudinary."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import requests
import time_machine
from django.core.files.base import ContentFile
from tests.cloudinary_server import CloudinaryServer, Failure
from tests.core.storages.cloudinary.arrangements import CALLS, DOCUMENT, MEBIBYTE, PICTURE, get_url
from tests.core.storages.samples import NAME, PNG, SAMPLES

from core.storages import OutcomeUnknown
from core.storages.cloudinary import CloudinaryStorage
from core.time import clock


@pytest.mark.parametrize("call", CALLS)
def test_requests_are_not_retried(
    short_timeout_storage: CloudinaryStorage, cloudinary_server: CloudinaryServer, call: str
) -> None:
    cloudinary_server.fail(call, Failure.LOST, times=5)

    with pytest.raises(OutcomeUnknown):
        CALLS[call](short_timeout_storage)

    assert len(cloudinary_server.list_requests(call)) == 1


@pytest.mark.parametrize("call", ["upload", "resource", "resources", "destroy"])
def test_a_dripping_response_times_out(
    short_timeout_storage: CloudinaryStorage, cloudinary_server: CloudinaryServer, call: str
) -> None:
    short_timeout_storage.save(PICTURE, ContentFile(PNG))
    cloudinary_server.fail(call, Failure.TRICKLE)

    with pytest.raises(OutcomeUnknown):
        CALLS[call](short_timeout_storage)


def test_a_slow_download_does_not_time_out(
    short_timeout_storage: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    short_timeout_storage.save(PICTURE, ContentFile(PNG))
    cloudinary_server.fail("delivery", Failure.TRICKLE)

    with short_timeout_storage.open(PICTURE, "rb") as file:
        assert file.read() == PNG


@pytest.mark.parametrize("failure", [Failure.ERROR, Failure.RESET, Failure.LOST, Failure.CUT])
@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_file_with_a_failed_part_is_not_saved(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer, failure: Failure, part: int
) -> None:
    cloudinary_server.fail("upload", failure, after=part)

    with pytest.raises(OutcomeUnknown):
        storage.save(DOCUMENT, ContentFile(bytes(13 * MEBIBYTE)))


def test_a_file_whose_response_was_lost_can_be_deleted(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    cloudinary_server.fail("upload", Failure.LOST)
    with pytest.raises(OutcomeUnknown):
        storage.save(PICTURE, ContentFile(PNG))
    assert cloudinary_server.stored

    storage.delete(PICTURE)

    assert not cloudinary_server.stored


def test_after_a_failure_the_storage_works_again(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    cloudinary_server.fail("upload", Failure.RESET)
    with pytest.raises(OutcomeUnknown):
        storage.save(PICTURE, ContentFile(PNG))

    assert storage.save(PICTURE, ContentFile(PNG)) == PICTURE


def test_an_unreachable_service_raises_outcome_unknown(
    storage: CloudinaryStorage, cloudinary_server: CloudinaryServer
) -> None:
    unreachable = CloudinaryStorage(**{**cloudinary_server.options, "api_url": "http://127.0.0.1:9"})

    with pytest.raises(OutcomeUnknown):
        unreachable.save(PICTURE, ContentFile(PNG))


def test_the_url_returns_the_original_bytes(storage: CloudinaryStorage) -> None:
    for name, content in SAMPLES.items():
        storage.save(name, ContentFile(content + name.encode()))

    found = {name: requests.get(get_url(storage, name), timeout=5).content for name in SAMPLES}

    assert found == {name: content + name.encode() for name, content in SAMPLES.items()}


def test_urls_use_the_default_host_of_cloudinary() -> None:
    storage = CloudinaryStorage(cloud_name="school", api_key="1", api_secret="secret")

    assert storage.url(PICTURE) == (
        f"https://res.cloudinary.com/school/image/authenticated/s--UltluZeR--/v1/materials/{NAME}_png"
    )


def test_an_expiring_url_works_until_it_expires(expiring_storage: CloudinaryStorage) -> None:
    expiring_storage.save(PICTURE, ContentFile(PNG))
    url = get_url(expiring_storage, PICTURE)

    with time_machine.travel(clock.now() + timedelta(seconds=598), tick=False):
        assert requests.get(url, timeout=5).content == PNG


def test_an_expired_url_is_rejected(expiring_storage: CloudinaryStorage) -> None:
    expiring_storage.save(PICTURE, ContentFile(PNG))
    url = get_url(expiring_storage, PICTURE)

    with time_machine.travel(clock.now() + timedelta(seconds=602), tick=False):
        assert requests.get(url, timeout=5).status_code == 401


def test_the_expiry_of_a_url_is_signed(expiring_storage: CloudinaryStorage) -> None:
    expiring_storage.save(PICTURE, ContentFile(PNG))
    url = get_url(expiring_storage, PICTURE)

    later = url.replace("expires_at=1", "expires_at=2")

    assert later != url
    assert requests.get(later, timeout=5).status_code == 401


@pytest.mark.parametrize(("inline", "disposition"), [(False, "attachment"), (True, None)])
def test_an_expiring_url_downloads_the_file_unless_inline(
    expiring_storage: CloudinaryStorage, inline: bool, disposition: str | None
) -> None:
    expiring_storage.save(PICTURE, ContentFile(PNG))

    headers = requests.get(get_url(expiring_storage, PICTURE, inline=inline), timeout=5).headers

    assert (headers.get("Content-Disposition") or "").partition(";")[0] == (disposition or "")


@pytest.mark.parametrize("extension", [".png", ".jpg", ""])
def test_a_changed_url_is_rejected(storage: CloudinaryStorage, extension: str) -> None:
    storage.save(PICTURE, ContentFile(PNG))
    url = storage.url(PICTURE)
    unsigned = url.replace(urlsplit(url).path.split("/")[4] + "/", "")

    changed = url + extension if extension else unsigned

    assert requests.get(changed, timeout=5).status_code == 401


@pytest.mark.usefixtures("another_configuration")
@pytest.mark.parametrize("link_seconds", [None, 600])
def test_the_storage_ignores_environment_variables_of_the_sdk(
    cloudinary_server: CloudinaryServer, link_seconds: int | None
) -> None:
    storage = CloudinaryStorage(**cloudinary_server.options, link_seconds=link_seconds)

    storage.save(PICTURE, ContentFile(PNG))

    assert requests.get(get_url(storage, PICTURE), timeout=5).content == PNG
    assert [found.name for found in storage.walk()] == [PICTURE]
    assert storage.exists(PICTURE)
    with storage.open(PICTURE, "rb") as file:
        assert file.read() == PNG
    storage.delete(PICTURE)
    assert not storage.exists(PICTURE)
    (upload,) = cloudinary_server.list_requests("upload")
    assert set(upload.form) == {
        *("api_key", "file", "overwrite", "public_id", "signature", "timestamp", "type"),
    }


@pytest.mark.usefixtures("another_configuration")
def test_urls_ignore_environment_variables_of_the_sdk() -> None:
    storage = CloudinaryStorage(cloud_name="school", api_key="1", api_secret="secret")

    assert storage.url(PICTURE).startswith("https://res.cloudinary.com/school/image/authenticated/s--")
