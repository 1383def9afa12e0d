"""Uploads over ASGI: streamed, after checking permissions, and without a database connection."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings
from tests.conftest import Api
from tests.core.http.asgi import AsgiResponse, send
from tests.modules.materials.conftest import PATH, Sessions

from core.accounts.models import User
from core.http import request_body, upload_slots
from core.http.upload_slots import upload_slot
from modules.materials.models import Material, StoredFile

KIB = 1024
MIB = 1024 * KIB
CHUNKED = {"Transfer-Encoding": "chunked"}
FORM = {"Content-Type": "multipart/form-data; boundary=x"}

# What the threads of the views read has been committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def creator(john: User, sessions: Sessions) -> dict[str, str]:
    """The headers of somebody who may add materials."""
    sessions.let(john, can_read=True, can_write=True, can_manage=True)
    return {**FORM, **Api(john).headers}


def form(size: int) -> Iterator[bytes]:
    """A file of so many bytes, piece by piece."""
    yield b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nSlides\r\n'
    yield b'--x\r\nContent-Disposition: form-data; name="type"\r\n\r\nfile\r\n'
    yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="slides.txt"\r\n\r\n'
    for start in range(0, size, 64 * KIB):
        yield b"x" * min(64 * KIB, size - start)
    yield b"\r\n--x--\r\n"


def assert_nothing_was_kept(folder: Path) -> None:
    assert not Material.objects.exists()
    assert not StoredFile.objects.exists()
    assert [path for path in folder.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("size", [10, 3 * MIB])
def test_a_chunked_form_is_accepted(creator: dict[str, str], size: int) -> None:
    """Uploads are streamed so by some clients; Django alone would see none of it."""
    answer = send(PATH, form(size), headers={**creator, **CHUNKED})

    assert answer.status == 201, answer.body
    assert answer.json()["file_name"] == "slides.txt"
    assert StoredFile.objects.get().size == size


@pytest.mark.parametrize("length", [{"Content-Length": str(30 * MIB)}, CHUNKED])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_the_body_is_not_read_without_permission(
    creator: dict[str, str], jane: User, bob: User, sessions: Sessions, length: dict[str, str], method: str
) -> None:
    """The body is never sent, and not waited for."""
    sessions.let(jane, can_read=True)
    path = PATH if method == "POST" else f"{PATH}1/"

    def ask(path: str, **headers: str) -> AsgiResponse:
        return send(path, method=method, headers={**creator, **length, **headers}, is_complete=False)

    assert ask(path, Authorization="Bearer expired").status == 401
    assert ask(path, **Api(bob).headers).status == 404
    assert ask(path, **Api(jane).headers).status == (403 if method == "POST" else 404)
    assert ask(path.replace("/7/", "/99/")).status == 404
    assert ask("/api/nothing/").status == 404


@pytest.fixture
def impatience(settings: Settings) -> None:
    """What has not come yet comes too late."""
    settings.REQUEST_BODY_SECONDS = 0


@pytest.mark.usefixtures("impatience")
@pytest.mark.parametrize("length", [{"Content-Length": str(4 * MIB)}, CHUNKED])
def test_an_incomplete_upload_is_a_408_and_leaves_nothing(
    creator: dict[str, str], folder: Path, length: dict[str, str]
) -> None:
    answer = send(PATH, list(form(3 * MIB))[:20], headers={**creator, **length}, is_complete=False)

    assert answer.status == 408
    assert answer.json() == {"error": "The body of the request did not arrive in time. Send it again."}
    assert answer.headers["Connection"] == "close"
    assert_nothing_was_kept(folder)


def test_an_upload_above_the_maximum_body_size_is_aborted(
    creator: dict[str, str], folder: Path, settings: Settings
) -> None:
    settings.REQUEST_MAX_BYTES = 2 * MIB

    answer = send(PATH, form(4 * MIB), headers={**creator, **CHUNKED})

    assert answer.status == 413
    assert answer.json() == {"error": "The body is larger than anything that is accepted here."}
    assert_nothing_was_kept(folder)


def test_an_upload_holds_no_database_connection_while_it_arrives(
    creator: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time that the view waits for the client, it has given its connection back."""
    held: list[bool] = []
    read_chunk = request_body.StreamedBody._wait_for_chunk

    def watch(body: Any, *, max_bytes: int) -> bytes:
        chunk = read_chunk(body, max_bytes=max_bytes)
        held.append(connection.connection is not None)
        return chunk

    monkeypatch.setattr(request_body.StreamedBody, "_wait_for_chunk", watch)

    assert send(PATH, form(MIB), headers={**creator, **CHUNKED}).status == 201
    assert len(held) > 16
    assert not any(held)


def test_json_for_upload_operations_is_limited_to_one_mebibyte(creator: dict[str, str]) -> None:
    note = b'{"title": "x", "type": "note", "content": "' + b"x" * MIB + b'"}'

    answer = send(PATH, [note], headers={**creator, "Content-Type": "application/json", **CHUNKED})

    assert answer.status == 413


TOO_MANY = {
    "error": "You have 10 uploads on their way, and more at once are not taken. "
    "Send this file when one of them has arrived."
}


def test_concurrent_uploads_of_a_member_are_limited(
    creator: dict[str, str], john: User, jane: User, sessions: Sessions, folder: Path
) -> None:
    """Each has a thread and a temporary file, for as long as it lasts."""
    sessions.let(jane, can_read=True, can_write=True)
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(upload_slot(john.pk))

        refused = send(PATH, form(10), headers={**creator, **CHUNKED})
        taken = send(PATH, form(10), headers={**FORM, **Api(jane).headers, **CHUNKED})
        assert (refused.status, refused.json(), refused.headers["Retry-After"]) == (429, TOO_MANY, "5")
        assert taken.status == 201
        assert StoredFile.objects.count() == 1
    assert send(PATH, form(10), headers={**creator, **CHUNKED}).status == 201


def test_a_failed_upload_releases_its_slot(creator: dict[str, str]) -> None:
    answers = [send(PATH, [b"nonsense"], headers={**creator, **CHUNKED}) for _ in range(12)]

    assert {answer.status for answer in answers} == {400}


def test_concurrent_uploads_of_a_process_are_limited(creator: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_slots, "MAX_UPLOADS_PER_PROCESS", 0)

    answer = send(PATH, form(10), headers={**creator, **CHUNKED})

    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json() == {"error": "Too many files are on their way just now. Try again later."}
