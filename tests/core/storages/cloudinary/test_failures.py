"""Links, settings and failures of Cloudinary."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import requests
import time_machine
from django.core.files.base import ContentFile
from tests.cloudinary_server import CloudinaryServer, Failure
from tests.core.storages.cloudinary.arrangements import CALLS, DOCUMENT, MEBIBYTE, PICTURE, address_of
from tests.core.storages.samples import NAME, PNG, SAMPLES

from core.storages import OutcomeUnknown
from core.storages.cloudinary import CloudinaryStorage
from core.time import clock


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
