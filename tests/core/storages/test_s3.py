"""Files in a bucket: who may read them, what they are sent as, and what happens when the service fails."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests
import time_machine
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.core.storages.samples import NAME, PNG
from tests.s3_server import S3Server

from core.storages import OutcomeUnknown
from core.storages.s3 import S3Storage
from core.time import clock

PICTURE = f"image/{NAME}.png"
KEY = f"materials/{PICTURE}"
MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="session")
def connected_impatient_storage(running_s3_server: S3Server) -> S3Storage:
    return S3Storage(**running_s3_server.options, timeout=0.2)


@pytest.fixture
def impatient_storage(s3_server: S3Server, connected_impatient_storage: S3Storage) -> S3Storage:
    return connected_impatient_storage


@pytest.fixture(scope="session")
def connected_storage_with_a_wrong_key(running_s3_server: S3Server) -> S3Storage:
    return S3Storage(**{**running_s3_server.options, "secret_key": "another"})


CALLS = {
    "save": lambda storage: storage.save(PICTURE, ContentFile(PNG)),
    "open": lambda storage: storage.open(PICTURE, "rb"),
    "exists": lambda storage: storage.exists(PICTURE),
    "size": lambda storage: storage.size(PICTURE),
    "delete": lambda storage: storage.delete(PICTURE),
    "walk": lambda storage: list(storage.walk()),
    "listdir": lambda storage: storage.listdir(""),
}


def test_a_file_is_sent_as_the_type_and_by_the_name_that_its_address_says(
    s3_storage: S3Storage, s3_server: S3Server
) -> None:
    s3_storage.save(PICTURE, ContentFile(PNG))

    address = s3_storage.build_signed_url(PICTURE, file_name="Übung.png", content_type="image/png", inline=False)

    headers = requests.get(address, timeout=5).headers
    assert headers["Content-Type"] == "image/png"
    assert headers["Content-Disposition"] == "attachment; filename*=utf-8''%C3%9Cbung.png"


def test_a_file_that_may_be_shown_is_sent_to_be_shown(s3_storage: S3Storage) -> None:
    s3_storage.save(PICTURE, ContentFile(PNG))

    address = s3_storage.build_signed_url(PICTURE, file_name="a.png", content_type="image/png", inline=True)

    assert requests.get(address, timeout=5).headers["Content-Disposition"] == 'inline; filename="a.png"'


def test_an_address_runs_out(s3_storage: S3Storage) -> None:
    s3_storage.save(PICTURE, ContentFile(PNG))
    address = s3_storage.build_signed_url(PICTURE, file_name="a.png", content_type="image/png", inline=True)

    with time_machine.travel(clock.now() + timedelta(seconds=599), tick=False):
        assert requests.get(address, timeout=5).status_code == 200
    with time_machine.travel(clock.now() + timedelta(seconds=602), tick=False):
        assert requests.get(address, timeout=5).status_code == 403


def test_an_address_is_made_without_asking_anybody(s3_storage: S3Storage, s3_server: S3Server) -> None:
    s3_storage.build_signed_url(PICTURE, file_name="a.png", content_type="image/png", inline=True)

    assert s3_server.requests == []


def test_what_an_address_says_of_the_type_cannot_be_changed(s3_storage: S3Storage) -> None:
    s3_storage.save(PICTURE, ContentFile(PNG))
    address = s3_storage.build_signed_url(PICTURE, file_name="a.png", content_type="image/png", inline=True)

    changed = address.replace("image%2Fpng", "text%2Fhtml")

    assert changed != address
    assert requests.get(changed, timeout=5).status_code == 403


def test_nobody_reads_a_file_without_a_signature(s3_storage: S3Storage, s3_server: S3Server) -> None:
    s3_storage.save(PICTURE, ContentFile(PNG))

    assert requests.get(f"{s3_server.url}/{s3_server.bucket_name}/{KEY}", timeout=5).status_code == 403


def test_a_file_has_the_access_that_the_bucket_gives_it(s3_storage: S3Storage, s3_server: S3Server) -> None:
    s3_storage.save(PICTURE, ContentFile(PNG))

    (put,) = [asked for asked in s3_server.requests if asked.method == "PUT"]
    assert "x-amz-acl" not in put.headers


def test_a_file_is_stored_as_what_our_own_code_has_found_it_to_be(s3_storage: S3Storage, s3_server: S3Server) -> None:
    content: Any = ContentFile(PNG)
    content.stored_as = "image/png"

    s3_storage.save(PICTURE, content)

    assert s3_server.client.head_object(Bucket=s3_server.bucket_name, Key=KEY)["ContentType"] == "image/png"


def test_what_the_sender_says_that_a_file_is_is_not_believed(s3_storage: S3Storage, s3_server: S3Server) -> None:
    s3_storage.save(PICTURE, SimpleUploadedFile("a.html", b"<script>", content_type="text/html"))

    head = s3_server.client.head_object(Bucket=s3_server.bucket_name, Key=KEY)
    assert head["ContentType"] == "application/octet-stream"


def test_a_large_file_is_sent_in_one_piece(s3_storage: S3Storage, s3_server: S3Server) -> None:
    # boto3 would send this in parts by itself.
    s3_storage.save(PICTURE, ContentFile(bytes(9 * MEBIBYTE)))

    assert [asked.method for asked in s3_server.requests] == ["HEAD", "PUT"]


def test_a_folder_that_a_console_has_made_is_no_file(s3_storage: S3Storage, s3_server: S3Server) -> None:
    for key in ("materials/", "materials/image/"):
        s3_server.client.put_object(Bucket=s3_server.bucket_name, Key=key)

    assert list(s3_storage.walk()) == []


def test_without_a_location_the_whole_bucket_is_listed(s3_server: S3Server, s3_storage: S3Storage) -> None:
    s3_storage.save(PICTURE, ContentFile(PNG))
    of_all = S3Storage(**{**s3_server.options, "location": ""})

    assert [found.name for found in of_all.walk()] == [KEY]


def test_all_threads_share_one_connection(s3_server: S3Server, s3_storage: S3Storage) -> None:
    with ThreadPoolExecutor(max_workers=1) as threads:
        other = threads.submit(lambda: s3_storage.connection).result()

    assert other is s3_storage.connection


@pytest.mark.parametrize("call", CALLS)
def test_a_service_that_says_that_something_is_wrong_has_not_answered(
    impatient_storage: S3Storage, s3_server: S3Server, call: str
) -> None:
    s3_server.is_busy = True

    with pytest.raises(OutcomeUnknown):
        CALLS[call](impatient_storage)


@pytest.mark.parametrize("call", ["save", "open", "walk"])
def test_a_service_that_says_nothing_is_not_waited_for_for_ever(
    impatient_storage: S3Storage, s3_server: S3Server, call: str
) -> None:
    s3_server.is_silent = True

    with pytest.raises(OutcomeUnknown):
        CALLS[call](impatient_storage)


@pytest.mark.parametrize("call", ["open", "exists", "size"])
def test_a_wrong_key_is_not_taken_for_a_file_that_is_not_there(
    s3_server: S3Server, connected_storage_with_a_wrong_key: S3Storage, call: str
) -> None:
    with pytest.raises(OutcomeUnknown):
        CALLS[call](connected_storage_with_a_wrong_key)
