"""Range requests, conditional requests and HEAD (RFC 9110, sections 13 and 14)."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application
from django.test import Client
from tests.modules.materials.conftest import ORIGIN, PATH, MaterialsApi

from modules.materials.models import StoredFile

CONTENT = b"\x1f\x8b\x08" + bytes(range(256)) * 1000
SIZE = len(CONTENT)
LAST_MODIFIED = "Fri, 12 Jan 2024 10:00:00 GMT"


@pytest.fixture
def address(creator: MaterialsApi) -> str:
    added = creator.add_file("recording.gz", CONTENT)
    return str(added.json()["file"])


@pytest.fixture
def etag(address: str) -> str:
    return f'"{StoredFile.objects.get().sha256}"'


@pytest.fixture
def get(address: str) -> Callable[..., Any]:
    """Asks for the file with these headers."""

    def ask(**headers: str) -> Any:
        return Client(raise_request_exception=False).get(
            address, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    return ask


def test_the_whole_file_announces_range_requests(get: Callable[..., Any], etag: str) -> None:
    response = get()
    assert response.status_code == 200
    assert response["Accept-Ranges"] == "bytes"
    assert response["ETag"] == etag
    assert response["Last-Modified"] == LAST_MODIFIED
    assert response["Content-Length"] == str(SIZE)
    assert response.getvalue() == CONTENT


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("bytes=-100", SIZE - 100, SIZE),
        (f"bytes=-{SIZE + 5}", 0, SIZE),
        (f"bytes=200000-{SIZE + 5}", 200_000, SIZE),
        ("bytes=70000-200000", 70_000, 200_001),
        ("BYTES=5-6", 5, 7),
    ],
)
def test_a_range_is_served(asked: str, first: int, end: int, get: Callable[..., Any], etag: str) -> None:
    response = get(range=asked)
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{end - 1}/{SIZE}"
    assert response["Content-Length"] == str(end - first)
    assert response["Content-Type"] == "application/gzip"
    assert response["Content-Disposition"] == 'attachment; filename="recording.gz"'
    assert response["ETag"] == etag
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox;")
    assert response["Cache-Control"] == "private, max-age=600"
    assert response.getvalue() == CONTENT[first:end]


@pytest.mark.parametrize(
    "asked", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 9}", "bytes=999999999999999999-", "bytes=-0"]
)
def test_an_unsatisfiable_range_is_a_416(asked: str, get: Callable[..., Any]) -> None:
    response = get(range=asked)
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{SIZE}"
    assert response.json() == {"error": "The file has no such part."}


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=5-4",
        "bytes=a-b",
        "bytes=-",
        "bytes=",
        "bytes=0-1,5-6",
        "bytes=1 - 2",
        "bytes=--1",
        "bytes=\u0661-\u0662",
        "lines=0-1",
        "bytes=" + "9" * 5000 + "-",
        "0-1",
    ],
)
def test_invalid_and_multiple_ranges_get_the_whole_file(asked: str, get: Callable[..., Any]) -> None:
    response = get(range=asked)
    assert response.status_code == 200
    assert response.getvalue() == CONTENT


def test_a_matching_if_range_serves_the_range(get: Callable[..., Any], etag: str) -> None:
    for validator in (etag, LAST_MODIFIED):
        response = get(range="bytes=0-9", if_range=validator)
        assert response.status_code == 206
        assert response.getvalue() == CONTENT[:10]


@pytest.mark.parametrize("validator", ['"another"', "Fri, 12 Jan 2024 09:00:00 GMT", "nonsense"])
def test_an_outdated_if_range_serves_the_whole_file(validator: str, get: Callable[..., Any]) -> None:
    response = get(range="bytes=0-9", if_range=validator)
    assert response.status_code == 200
    assert response.getvalue() == CONTENT


def test_a_matching_if_none_match_is_a_304(get: Callable[..., Any], etag: str) -> None:
    for headers in ({"if_none_match": etag}, {"if_none_match": "*"}, {"if_modified_since": LAST_MODIFIED}):
        response = get(**headers)
        assert response.status_code == 304
        assert response.content == b""
        assert response["ETag"] == etag
        assert response["Cache-Control"] == "private, max-age=600"
        assert "Content-Type" not in response


def test_an_outdated_validator_gets_the_file(get: Callable[..., Any]) -> None:
    earlier = "Fri, 12 Jan 2024 09:59:59 GMT"
    for headers in ({"if_none_match": '"another"'}, {"if_modified_since": earlier}):
        response = get(**headers)
        assert response.status_code == 200
        assert response.getvalue() == CONTENT


def test_a_failed_precondition_is_a_412(get: Callable[..., Any], etag: str) -> None:
    response = get(if_match='"another"')
    assert response.status_code == 412
    assert response.json() == {"error": "What was asked for is no longer as the condition has it."}
    kept = get(if_match=etag)
    assert kept.status_code == 200
    kept.close()


def test_head_has_the_headers_of_get(address: str, etag: str) -> None:
    response = Client().head(address)
    assert response.status_code == 200
    assert response["Content-Length"] == str(SIZE)
    assert response["Content-Type"] == "application/gzip"
    assert response["Content-Disposition"] == 'attachment; filename="recording.gz"'
    assert response["Accept-Ranges"] == "bytes"
    assert response["ETag"] == etag
    assert response.getvalue() == b""


def test_head_ignores_ranges(address: str) -> None:
    response = Client().head(address, headers={"range": "bytes=0-9"})
    assert (response.status_code, response["Content-Length"]) == (200, str(SIZE))
    assert response.getvalue() == b""


def test_conditional_requests_do_not_bypass_the_expiry(get: Callable[..., Any], etag: str, clock: Any) -> None:
    clock.shift(timedelta(minutes=10))
    assert get(if_none_match=etag).status_code == 403
    assert get(range="bytes=0-9").status_code == 403


def test_a_replaced_file_has_another_etag(address: str, creator: MaterialsApi) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    [row] = creator.get(PATH).json()
    before = Client().head(address)["ETag"]
    changed = creator.put_form(f"{PATH}{row['id']}/", {"file": SimpleUploadedFile("new.txt", b"new")}).json()
    assert Client().head(changed["file"])["ETag"] != before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("method", "asked", "status", "content"),
    [
        ("GET", b"", 200, CONTENT),
        ("GET", b"bytes=70000-200000", 206, CONTENT[70_000:200_001]),
        ("HEAD", b"", 200, b""),
    ],
)
def test_ranges_are_the_same_under_asgi(method: str, asked: bytes, status: int, content: bytes, address: str) -> None:
    async def read() -> tuple[int, bytes]:
        path = address.removeprefix(ORIGIN)
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": [(b"host", b"testserver"), *([(b"range", asked)] if asked else [])],
        }
        communicator = ApplicationCommunicator(get_asgi_application(), scope)
        await communicator.send_input({"type": "http.request", "body": b""})
        start = await communicator.receive_output(timeout=10)
        received, more = b"", True
        while more:
            message = await communicator.receive_output(timeout=10)
            received += message.get("body", b"")
            more = message.get("more_body", False)
        await communicator.wait(timeout=10)
        return start["status"], received

    assert asyncio.run(read()) == (status, content)


def test_files_are_closed(get: Callable[..., Any], etag: str, recwarn: pytest.WarningsRecorder) -> None:
    """An open file that is forgotten is a warning, and those are errors here."""
    import gc

    for headers in ({"if_none_match": etag}, {"range": f"bytes={SIZE}-"}, {"if_match": '"another"'}):
        get(**headers)
    gc.collect()
    assert [str(warning.message) for warning in recwarn.list] == []
