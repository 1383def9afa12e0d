"""Bodies that are larger than anything that is taken: refused without being read whole."""

import asyncio
import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application
from django.core.handlers.asgi import ASGIRequest
from tests.core.http.asgi import Answer, send

from core.accounts.models import User
from core.http.body_limit import BodyLimit

REGISTER = "/api/auth/register/"
JSON = {"Content-Type": "application/json"}
KIB = 1024
MIB = 1024 * KIB
FORM = {"username": "jane", "email": "jane@example.com", "password": "learn-together"}


@pytest.fixture
def most(settings: Any) -> int:
    """What a request may send at most, made small."""
    settings.REQUEST_MAX_BYTES = 4 * MIB
    return 4 * MIB


@pytest.fixture
def application(most: int) -> Any:
    return BodyLimit(get_asgi_application(), most=most)  # type: ignore[arg-type]


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


def test_a_body_that_is_announced_as_too_large_is_refused_before_it_is_sent(application: Any, most: int) -> None:
    answer = send(REGISTER, headers={**JSON, "Content-Length": str(most + 1)}, to=application, ends=False)

    assert_too_large(answer)


def test_a_body_that_is_too_large_is_refused_though_it_is_sent_all_the_same(application: Any, most: int) -> None:
    answer = send(REGISTER, pieces(most + 1), headers={**JSON, "Content-Length": str(most + 1)}, to=application)

    assert_too_large(answer)


def test_a_body_in_chunks_is_cut_off_where_it_becomes_too_large(application: Any, most: int) -> None:
    answer = send(REGISTER, pieces(most + 1), headers={**JSON, "Transfer-Encoding": "chunked"}, to=application)

    assert_too_large(answer)


def test_a_body_without_end_is_cut_off(application: Any, most: int) -> None:
    answer = send(
        REGISTER, pieces(3 * most), headers={**JSON, "Transfer-Encoding": "chunked"}, to=application, ends=False
    )

    assert_too_large(answer)


def test_json_is_held_to_one_mebibyte(application: Any) -> None:
    announced = send(REGISTER, pieces(MIB + 1), headers={**JSON, "Content-Length": str(MIB + 1)}, to=application)
    in_chunks = send(REGISTER, pieces(MIB + 1), headers={**JSON, "Transfer-Encoding": "chunked"}, to=application)

    assert_too_large(announced)
    assert_too_large(in_chunks)


def test_json_of_one_mebibyte_is_read(application: Any) -> None:
    for headers in ({"Content-Length": str(MIB)}, {"Transfer-Encoding": "chunked"}):
        answer = send(REGISTER, pieces(MIB), headers={**JSON, **headers}, to=application)

        assert answer.status == 400
        assert answer.json()["fields"]["username"] == ["At most 150 characters."]


@pytest.mark.django_db(transaction=True)
def test_a_body_in_chunks_is_a_body(application: Any) -> None:
    body = json.dumps(FORM).encode()

    answer = send(REGISTER, [body[:10], body[10:]], headers={**JSON, "Transfer-Encoding": "chunked"}, to=application)

    assert answer.status == 201, answer.body
    assert User.objects.get().username == "jane"


def test_a_form_in_chunks_is_a_form(settings: Any) -> None:
    """Uploads are streamed so by some clients; Django alone would see none of it."""
    boundary = b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nSlides\r\n--x--\r\n'
    seen: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"] + (await receive())["body"]
        seen.append(ASGIRequest(scope, BytesIO(body)).POST["title"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        await receive()

    headers = {"Content-Type": "multipart/form-data; boundary=x", "Transfer-Encoding": "chunked"}
    send("/", [boundary], headers=headers, to=BodyLimit(inner, most=MIB))

    assert seen == ["Slides"]


def test_a_client_that_goes_away_while_sending_leaves_nothing_behind(application: Any) -> None:
    scope = {"type": "http", "method": "POST", "path": REGISTER, "query_string": b"", "headers": []}

    async def go_away() -> bool:
        client = ApplicationCommunicator(application, scope)
        await client.send_input({"type": "http.request", "body": b"{", "more_body": True})
        await client.send_input({"type": "http.disconnect"})
        await asyncio.wait_for(client.future, timeout=5)
        return await client.receive_nothing()

    assert async_to_sync(go_away)()


def test_what_is_no_request_passes_through(most: int) -> None:
    """Sockets and the server's own start and stop."""
    seen: list[Any] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope, receive, send))

    arguments = ({"type": "lifespan"}, object(), object())
    async_to_sync(BodyLimit(inner, most=most))(*arguments)  # type: ignore[arg-type]

    assert seen == [arguments]


def test_the_bound_leaves_room_for_a_file_that_is_merely_too_large(settings: Any) -> None:
    assert settings.REQUEST_MAX_BYTES > 2 * settings.MATERIALS_MAX_BYTES
