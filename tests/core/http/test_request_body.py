"""Bodies that are too large, come too slowly, or never end: refused without being read whole, and without costing
anybody a database connection."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from pytest_django import Settings
from tests.core.http.asgi import Answer, scope_of, send

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
def most(settings: Settings) -> int:
    """What a request may send at most, made small."""
    settings.REQUEST_MAX_BYTES = 4 * MIB
    return 4 * MIB


@pytest.fixture
def impatience(settings: Settings) -> None:
    """What has not come yet comes too late."""
    settings.REQUEST_BODY_SECONDS = 0


def assert_too_large(answer: Answer) -> None:
    assert answer.status == 413
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Request-Id"]
    assert answer.json() == {"error": "The body is larger than anything that is accepted here."}


def pieces(total: int, size: int = 64 * KIB) -> Iterator[bytes]:
    """A JSON body of so many bytes, piece by piece."""
    body = b'{"username": "' + b"x" * (total - 16) + b'"}'
    for start in range(0, total, size):
        yield body[start : start + size]


def test_a_body_that_is_announced_as_too_large_is_refused_before_it_is_sent(most: int) -> None:
    answer = send(REGISTER, headers={**JSON, "Content-Length": str(most + 1)}, ends=False)

    assert_too_large(answer)


def test_a_body_that_is_too_large_is_refused_though_it_is_sent_all_the_same(most: int) -> None:
    answer = send(REGISTER, pieces(most + 1), headers={**JSON, "Content-Length": str(most + 1)})

    assert_too_large(answer)


def test_a_body_in_chunks_is_cut_off_where_it_becomes_too_large(most: int) -> None:
    answer = send(REGISTER, pieces(most + 1), headers={**JSON, "Transfer-Encoding": "chunked"})

    assert_too_large(answer)


def test_a_body_without_end_is_cut_off(most: int) -> None:
    answer = send(REGISTER, pieces(3 * most), headers={**JSON, "Transfer-Encoding": "chunked"}, ends=False)

    assert_too_large(answer)


def test_json_is_held_to_one_mebibyte() -> None:
    announced = send(REGISTER, pieces(MIB + 1), headers={**JSON, "Content-Length": str(MIB + 1)})
    in_chunks = send(REGISTER, pieces(MIB + 1), headers={**JSON, "Transfer-Encoding": "chunked"})

    assert_too_large(announced)
    assert_too_large(in_chunks)


def test_json_of_one_mebibyte_is_read() -> None:
    for headers in ({"Content-Length": str(MIB)}, {"Transfer-Encoding": "chunked"}):
        answer = send(REGISTER, pieces(MIB), headers={**JSON, **headers})

        assert answer.status == 400
        assert answer.json()["fields"]["username"] == ["At most 150 characters."]


@pytest.mark.django_db(transaction=True)
def test_a_body_in_chunks_is_a_body() -> None:
    body = json.dumps(FORM).encode()

    answer = send(REGISTER, [body[:10], body[10:]], headers={**JSON, "Transfer-Encoding": "chunked"})

    assert answer.status == 201, answer.body
    assert User.objects.get().username == "jane"


@pytest.mark.parametrize("path", [REGISTER, "/api/sessions/1/materials/", "/api/nothing/"])
def test_a_body_that_breaks_off_is_a_400(path: str) -> None:
    """The server says of a client that has gone and of chunks that are none the same."""

    async def break_off() -> tuple[int, Any]:
        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        client = ApplicationCommunicator(application, scope_of(path, headers=headers))
        await client.send_input({"type": "http.request", "body": b"{", "more_body": True})
        await client.send_input({"type": "http.disconnect"})
        start = await client.receive_output(timeout=5)
        body = await client.receive_output(timeout=5)
        await asyncio.wait_for(client.future, timeout=5)
        return start["status"], json.loads(body["body"])

    assert async_to_sync(break_off)() == (400, {"error": "The request could not be read."})


def test_the_bound_leaves_room_for_a_file_that_is_merely_too_large(settings: Any) -> None:
    assert settings.REQUEST_MAX_BYTES > 2 * settings.MATERIALS_MAX_BYTES


# --- Bodies that do not arrive ----------------------------------------------------------------------------------


STALLED = {"error": "The body of the request did not arrive in time. Send it again."}


def assert_stalled(answer: Answer) -> None:
    assert answer.status == 408
    assert answer.json() == STALLED
    assert answer.headers["X-Request-Id"]
    assert answer.headers["Connection"] == "close"


@pytest.mark.usefixtures("impatience")
@pytest.mark.parametrize("path", [REGISTER, "/api/sessions/", "/api/nothing/"])
@pytest.mark.parametrize("length", [{"Content-Length": "1000"}, {"Transfer-Encoding": "chunked"}])
def test_half_a_body_is_a_408(path: str, length: dict[str, str]) -> None:
    assert_stalled(send(path, [b'{"usern'], headers={**JSON, **length}, ends=False))


@pytest.mark.usefixtures("impatience")
def test_half_a_form_of_the_admin_is_a_408_before_the_first_query() -> None:
    """No database is allowed in this test: a session's cookie would be looked up in it."""
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": "1000",
        "Cookie": "sessionid=0123456789abcdef0123456789abcdef",
    }

    answer = send("/admin/login/", [b"username="], headers=headers, ends=False)

    assert (answer.status, answer.body.decode()) == (408, STALLED["error"])
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.usefixtures("impatience")
def test_half_a_request_without_a_need_for_a_body_is_a_408_too() -> None:
    assert_stalled(send("/api/auth/me/", [b"x"], method="GET", headers={"Content-Length": "2"}, ends=False))


def test_what_has_come_fast_earns_no_time_for_the_rest(settings: Settings) -> None:
    """With a byte a second for a rate, this would be hours."""
    settings.REQUEST_BODY_SECONDS = 0.01
    settings.REQUEST_MIN_BYTES_PER_SECOND = 1

    assert_stalled(send(REGISTER, pieces(200 * KIB), headers={**JSON, "Content-Length": str(MIB)}, ends=False))


def test_a_body_that_drips_just_fast_enough_has_an_end(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds memory that is everybody's."""
    settings.REQUEST_MIN_BYTES_PER_SECOND = 1
    monkeypatch.setattr(request_body, "MAX_WINDOWS", 0)

    assert_stalled(send(REGISTER, pieces(200 * KIB), headers={**JSON, "Content-Length": str(MIB)}, ends=False))


def test_what_bodies_hold_in_memory_together_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "MAX_BUFFERED_BYTES", 100 * KIB)

    large = send(REGISTER, pieces(200 * KIB), headers={**JSON, "Transfer-Encoding": "chunked"})
    small = send(REGISTER, pieces(10 * KIB), headers={**JSON, "Transfer-Encoding": "chunked"})

    assert (large.status, large.headers["Retry-After"]) == (503, "5")
    assert large.json() == {"error": "The service is not available right now. Try again later."}
    assert small.status == 400
    assert BodyStore.buffered_bytes == 0


# --- Forms, which may hold a file -------------------------------------------------------------------------------


FORM_TYPE = "multipart/form-data; boundary=x"


def form(size: int) -> Iterator[bytes]:
    yield b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\n'
    for start in range(0, size, 64 * KIB):
        yield b"x" * min(64 * KIB, size - start)
    yield b"\r\n--x--\r\n"


@pytest.mark.parametrize("length", [{"Content-Length": str(3 * MIB)}, {"Transfer-Encoding": "chunked"}])
def test_a_form_for_an_operation_that_takes_none_is_not_read_beyond_one_mebibyte(length: dict[str, str]) -> None:
    answer = send(REGISTER, form(3 * MIB), headers={"Content-Type": FORM_TYPE, **length})

    assert_too_large(answer)
