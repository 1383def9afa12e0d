"""The S3 storage: access, URLs, content types and failures."""

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
def connected_short_timeout_storage(running_s3_server: S3Server) -> S3Storage:
    return S3Storage(**running_s3_server.options, timeout=0.2)


@pytest.fixture
def short_timeout_storage(s3_server: S3Server, connected_short_timeout_storage: S3Storage) -> S3Storage:
    return connected_short_timeout_storage


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


def test_the_url_sets_content_type_and_file_name(s3_storage: S3Storage, s3_server: S3Server) -> None:
    s3_storage.save(PICTURE, ContentFile(PNG))

    url = s3_storage.build_signed_url(PICTURE, file_name="Übung.png", content_type="image/png", inline=False)

    headers = requests.get(url, timeout=5).headers
    assert headers["Content-Type"] == "image/png"
    assert headers["Content-Disposition"] == "attachment; filename*=utf-8''%C3%9Cbung.png"


def test_an_inline_url_shows_the_file(s3_storage: S3Storage) -> None:
    s3_storage.save(PICTURE, ContentFile(PNG))

    url = s3_storage.build_signed_url(PICTURE, file_name="a.png", content_type="image/png", inline=True)

    assert requests.get(url, timeout=5).headers["Content-Disposition"] == 'inline; filename="a.png"'


def test_a_url_expires(s3_storage: S3Storage) -> None:
    s3_storage.save(PICTURE, ContentFile(PNG))
    url = s3_storage.build_signed_url(PICTURE, file_name="a.png", content_type="image/png", inline=True)

    with time_machine.travel(clock.now() + timedelta(seconds=599), tick=False):
        assert requests.get(url, timeout=5).status_code == 200
    with time_machine.travel(clock.now() + timedelta(seconds=602), tick=False):
        assert requests.get(url, timeout=5).status_code == 403


def test_building_a_url_makes_no_request(s3_storage: S3Storage, s3_server: S3Server) -> None:
    s3_storage.build_signed_url(PICTURE, file_name="a.png", content_type="image/png", inline=True)

    assert s3_server.requests == []


def test_the_content_type_in_a_url_is_signed(s3_storage: S3Storage) -> None:
    s3_storage.save(PICTURE, ContentFile(PNG))
    url = s3_storage.build_signed_url(PICTURE, file_name="a.png", content_type="image/png", inline=True)

    changed = url.replace("image%2Fpng", "text%2Fhtml")

    assert changed != url
    assert requests.get(changed, timeout=5).status_code == 403


def test_an_unsigned_url_is_rejected(s3_storage: S3Storage, s3_server: S3Server) -> None:
    s3_storage.save(PICTURE, ContentFile(PNG))

    assert requests.get(f"{s3_server.url}/{s3_server.bucket_name}/{KEY}", timeout=5).status_code == 403


def test_no_acl_is_sent(s3_storage: S3Storage, s3_server: S3Server) -> None:
    s3_storage.save(PICTURE, ContentFile(PNG))

    (put,) = [asked for asked in s3_server.requests if asked.method == "PUT"]
    assert "x-amz-acl" not in put.headers


def test_a_file_is_stored_with_the_detected_content_type(s3_storage: S3Storage, s3_server: S3Server) -> None:
    content: Any = ContentFile(PNG)
    content.stored_as = "image/png"

    s3_storage.save(PICTURE, content)

    assert s3_server.client.head_object(Bucket=s3_server.bucket_name, Key=KEY)["ContentType"] == "image/png"


def test_the_content_type_of_the_sender_is_ignored(s3_storage: S3Storage, s3_server: S3Server) -> None:
    s3_storage.save(PICTURE, SimpleUploadedFile("a.html", b"<script>", content_type="text/html"))

    head = s3_server.client.head_object(Bucket=s3_server.bucket_name, Key=KEY)
    assert head["ContentType"] == "application/octet-stream"


def test_a_large_file_is_sent_in_one_request(s3_storage: S3Storage, s3_server: S3Server) -> None:
    # boto3 would split a file of this size.
    s3_storage.save(PICTURE, ContentFile(bytes(9 * MEBIBYTE)))

    assert [asked.method for asked in s3_server.requests] == ["HEAD", "PUT"]


def test_folder_keys_are_not_listed(s3_storage: S3Storage, s3_server: S3Server) -> None:
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
def test_an_error_response_raises_outcome_unknown(
    short_timeout_storage: S3Storage, s3_server: S3Server, call: str
) -> None:
    s3_server.is_busy = True

    with pytest.raises(OutcomeUnknown):
        CALLS[call](short_timeout_storage)


@pytest.mark.parametrize("call", ["save", "open", "walk"])
def test_a_silent_service_times_out(short_timeout_storage: S3Storage, s3_server: S3Server, call: str) -> None:
    s3_server.is_silent = True

    with pytest.raises(OutcomeUnknown):
        CALLS[call](short_timeout_storage)


@pytest.mark.parametrize("call", ["open", "exists", "size"])
def test_a_wrong_key_raises_outcome_unknown(
    s3_server: S3Server, connected_storage_with_a_wrong_key: S3Storage, call: str
) -> None:
    with pytest.raises(OutcomeUnknown):
        CALLS[call](connected_storage_with_a_wrong_key)
