"""Bodies that are too large, too slow or endless are refused early and without a database connection."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from pytest_django import Settings
from tests.core.http.asgi import AsgiResponse, build_scope, send

from core.accounts.models import User
from core.asgi import application
from core.http import request_body
from core.http.request_body import BodyStore

REGISTER = "/api/auth/register/"
JSON = {"Content-Type": "application/json"}
KIB = 1024
MIB = 1024 * KIB
FORM = {"username": "jane", "email": "jane@example.com", "password": "learn-together"}


@pytest.fixture
def max_bytes(settings: Settings) -> int:
    """A small limit of bodies."""
    settings.REQUEST_MAX_BYTES = 4 * MIB
    return 4 * MIB


@pytest.fixture
def no_time(settings: Settings) -> None:
    """Time out at once if a chunk is missing."""
    settings.REQUEST_BODY_SECONDS = 0


def assert_too_large(answer: AsgiResponse) -> None:
    assert answer.status == 413
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Request-Id"]
    assert answer.json() == {"error": "The body is larger than anything that is accepted here."}


def iterate_json(total: int, size: int = 64 * KIB) -> Iterator[bytes]:
    """A JSON body of so many bytes, in chunks."""
    body = b'{"username": "' + b"x" * (total - 16) + b'"}'
    for start in range(0, total, size):
        yield body[start : start + size]


def test_a_content_length_beyond_the_limit_is_refused_before_the_body_is_sent(max_bytes: int) -> None:
    answer = send(REGISTER, headers={**JSON, "Content-Length": str(max_bytes + 1)}, is_complete=False)

    assert_too_large(answer)


def test_a_content_length_beyond_the_limit_is_refused_while_the_body_is_sent(max_bytes: int) -> None:
    answer = send(REGISTER, iterate_json(max_bytes + 1), headers={**JSON, "Content-Length": str(max_bytes + 1)})

    assert_too_large(answer)


def test_a_chunked_body_beyond_the_limit_is_refused(max_bytes: int) -> None:
    answer = send(REGISTER, iterate_json(max_bytes + 1), headers={**JSON, "Transfer-Encoding": "chunked"})

    assert_too_large(answer)


def test_an_endless_chunked_body_is_refused(max_bytes: int) -> None:
    answer = send(
        REGISTER, iterate_json(3 * max_bytes), headers={**JSON, "Transfer-Encoding": "chunked"}, is_complete=False
    )

    assert_too_large(answer)


def test_json_beyond_one_mebibyte_is_refused() -> None:
    with_length = send(REGISTER, iterate_json(MIB + 1), headers={**JSON, "Content-Length": str(MIB + 1)})
    chunked = send(REGISTER, iterate_json(MIB + 1), headers={**JSON, "Transfer-Encoding": "chunked"})

    assert_too_large(with_length)
    assert_too_large(chunked)


def test_json_of_one_mebibyte_is_accepted() -> None:
    for headers in ({"Content-Length": str(MIB)}, {"Transfer-Encoding": "chunked"}):
        answer = send(REGISTER, iterate_json(MIB), headers={**JSON, **headers})

        assert answer.status == 400
        assert answer.json()["fields"]["username"] == ["At most 150 characters."]


@pytest.mark.django_db(transaction=True)
def test_a_chunked_body_is_accepted() -> None:
    body = json.dumps(FORM).encode()

    answer = send(REGISTER, [body[:10], body[10:]], headers={**JSON, "Transfer-Encoding": "chunked"})

    assert answer.status == 201, answer.body
    assert User.objects.get().username == "jane"


@pytest.mark.parametrize("path", [REGISTER, "/api/sessions/1/materials/", "/api/nothing/"])
def test_a_disconnect_within_the_body_is_a_400(path: str) -> None:
    """The server reports malformed chunks as a disconnect, too."""

    async def disconnect() -> tuple[int, Any]:
        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        client = ApplicationCommunicator(application, build_scope(path, headers=headers))
        await client.send_input({"type": "http.request", "body": b"{", "more_body": True})
        await client.send_input({"type": "http.disconnect"})
        start = await client.receive_output(timeout=5)
        body = await client.receive_output(timeout=5)
        await asyncio.wait_for(client.future, timeout=5)
        return start["status"], json.loads(body["body"])

    assert async_to_sync(disconnect)() == (400, {"error": "The request could not be read."})


def test_the_limit_of_bodies_is_twice_that_of_files(settings: Any) -> None:
    assert settings.REQUEST_MAX_BYTES > 2 * settings.MATERIALS_MAX_BYTES


# --- Stalled bodies -----------------------------------------------------------------------------------------------


STALLED = {"error": "The body of the request did not arrive in time. Send it again."}


def assert_stalled(answer: AsgiResponse) -> None:
    assert answer.status == 408
    assert answer.json() == STALLED
    assert answer.headers["X-Request-Id"]
    assert answer.headers["Connection"] == "close"


@pytest.mark.usefixtures("no_time")
@pytest.mark.parametrize("path", [REGISTER, "/api/sessions/", "/api/nothing/"])
@pytest.mark.parametrize("length", [{"Content-Length": "1000"}, {"Transfer-Encoding": "chunked"}])
def test_an_incomplete_body_is_a_408(path: str, length: dict[str, str]) -> None:
    assert_stalled(send(path, [b'{"usern'], headers={**JSON, **length}, is_complete=False))


@pytest.mark.usefixtures("no_time")
def test_an_incomplete_form_of_the_admin_is_a_408_before_the_first_query() -> None:
    """Any query fails this test, also the one for the login of the cookie."""
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": "1000",
        "Cookie": "sessionid=0123456789abcdef0123456789abcdef",
    }

    answer = send("/admin/login/", [b"username="], headers=headers, is_complete=False)

    assert (answer.status, answer.body.decode()) == (408, STALLED["error"])
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.usefixtures("no_time")
def test_an_incomplete_body_of_a_get_is_a_408() -> None:
    assert_stalled(send("/api/auth/me/", [b"x"], method="GET", headers={"Content-Length": "2"}, is_complete=False))


def test_fast_first_chunks_do_not_extend_the_timeout(settings: Settings) -> None:
    """At the minimum rate of one byte a second, they would extend it by hours."""
    settings.REQUEST_BODY_SECONDS = 0.01
    settings.REQUEST_MIN_BYTES_PER_SECOND = 1

    assert_stalled(
        send(REGISTER, iterate_json(200 * KIB), headers={**JSON, "Content-Length": str(MIB)}, is_complete=False)
    )


def test_a_body_at_the_minimum_rate_times_out_in_the_end(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REQUEST_MIN_BYTES_PER_SECOND = 1
    monkeypatch.setattr(request_body, "MAX_WINDOWS", 0)

    assert_stalled(
        send(REGISTER, iterate_json(200 * KIB), headers={**JSON, "Content-Length": str(MIB)}, is_complete=False)
    )


def test_large_bodies_are_refused_once_too_many_bytes_are_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "MAX_BUFFERED_BYTES", 100 * KIB)

    large = send(REGISTER, iterate_json(200 * KIB), headers={**JSON, "Transfer-Encoding": "chunked"})
    small = send(REGISTER, iterate_json(10 * KIB), headers={**JSON, "Transfer-Encoding": "chunked"})

    assert (large.status, large.headers["Retry-After"]) == (503, "5")
    assert large.json() == {"error": "The service is not available right now. Try again later."}
    assert small.status == 400
    assert BodyStore.buffered_bytes == 0


# --- Forms --------------------------------------------------------------------------------------------------------


FORM_TYPE = "multipart/form-data; boundary=x"


def form(size: int) -> Iterator[bytes]:
    yield b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\n'
    for start in range(0, size, 64 * KIB):
        yield b"x" * min(64 * KIB, size - start)
    yield b"\r\n--x--\r\n"


@pytest.mark.parametrize("length", [{"Content-Length": str(3 * MIB)}, {"Transfer-Encoding": "chunked"}])
def test_a_form_beyond_one_mebibyte_is_refused_by_an_operation_without_files(length: dict[str, str]) -> None:
    answer = send(REGISTER, form(3 * MIB), headers={"Content-Type": FORM_TYPE, **length})

    assert_too_large(answer)
