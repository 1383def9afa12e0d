"""Requests that are refused before any view, full temporary folders, and caching headers."""

import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings
from tests.conftest import Api
from tests.core.http.asgi import send

from core.accounts.models import User
from core.asgi import application
from core.http import handler

ME = "/api/auth/me/"
WRONG_CHARSET = {"error": "Send this request in UTF-8."}

# --- Charsets -----------------------------------------------------------------------------------------------------

REQUESTS: dict[str, tuple[str, str, bytes]] = {
    "JSON": ("POST", "/api/auth/token/", b"{}"),
    "a query": ("GET", "/api/sessions/?subject=x", b""),
    "nothing": ("GET", "/api/nothing/", b""),
    "an upload": ("POST", "/api/sessions/1/materials/", b"x"),
}
OTHER_CHARSETS = ["zlib", "utf-16", "latin-1", "UTF-7", "rot13", "idna", "no such charset", "x" * 400, "../x"]
CONTENT_TYPES = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("kind", CONTENT_TYPES)
def test_another_charset_than_utf_8_is_a_415(method: str, path: str, body: bytes, kind: str) -> None:
    for charset in OTHER_CHARSETS:
        answer = send(path, [body], method=method, headers={"Content-Type": f'{kind}; charset="{charset}"'})

        assert (answer.status, answer.json()) == (415, WRONG_CHARSET)
        assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "parameters", ["charset*=zlib''%41", "x*=zlib''%41", "x*0=a; x*1*=b", 'a="' + ";" * 100_000, "a=b;" * 50_000]
)
def test_a_long_or_encoded_content_type_is_a_415_and_not_parsed(
    parameters: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django parses it in the event loop, which would block all other requests."""

    def fail(content_type: str) -> Any:
        raise AssertionError(f"{len(content_type)} characters were parsed")

    monkeypatch.setattr(handler, "parse_header_parameters", fail)

    answer = send(ME, method="GET", headers={"Content-Type": f"text/plain; {parameters}"})

    assert (answer.status, answer.json()) == (415, {"error": "The body is of a kind that is not accepted here."})


def test_a_star_outside_the_parameters_is_accepted() -> None:
    assert send(ME, method="GET", headers={"Content-Type": "*/*"}).status == 401


@pytest.mark.parametrize("path", ["/admin/login/", "/healthz", "/unsubscribe/", "/static/portal/portal.css"])
def test_another_charset_outside_the_api_is_a_415_in_plain_text(path: str) -> None:
    answer = send(path, method="GET", headers={"Content-Type": "text/plain; charset=zlib"})

    assert (answer.status, answer.body.decode()) == (415, "Send this request in UTF-8.")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8", "us-ascii", "ASCII", ""])
def test_utf_8_and_ascii_are_accepted(charset: str) -> None:
    answer = send("/api/auth/token/", [b"{}"], headers={"Content-Type": f"application/json; charset={charset}"})

    assert answer.status == 400
    assert list(answer.json()["fields"]) == ["username", "password"]


def test_a_refusal_has_cors_headers() -> None:
    headers = {"Content-Type": "text/plain; charset=zlib", "Origin": "http://localhost:3000"}

    answer = send(ME, method="GET", headers=headers)

    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"


# --- WebSockets ---------------------------------------------------------------------------------------------------


def open_websocket(path: str, extensions: dict[str, Any]) -> list[Any]:
    """Return the messages that the application sends."""
    scope = {"type": "websocket", "path": path, "headers": [], "query_string": b"", "extensions": extensions}

    async def connect() -> list[Any]:
        client = ApplicationCommunicator(application, scope)
        await client.send_input({"type": "websocket.connect"})
        await client.wait(timeout=5)
        return [client.output_queue.get_nowait() for _ in range(client.output_queue.qsize())]

    return async_to_sync(connect)()


@pytest.mark.parametrize("path", ["/", "/api/", "/api/sessions/1/", "/ws/", "/admin/"])
def test_a_websocket_handshake_is_refused(path: str) -> None:
    assert open_websocket(path, {"websocket.http.response": {}}) == [
        {"type": "websocket.http.response.start", "status": 404, "headers": [(b"content-type", b"application/json")]},
        {"type": "websocket.http.response.body", "body": b'{"error":"There are no sockets here."}'},
    ]
    assert open_websocket(path, {}) == [{"type": "websocket.close"}]


# --- A full temporary folder --------------------------------------------------------------------------------------

NOT_STORED = {"error": "The file could not be stored just now, and nothing was kept. Try again later."}
MEBIBYTE = 1024 * 1024


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Limit the files of this process to 4 MiB, so that writing larger ones fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 * MEBIBYTE, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def upload(member: User, session_id: int, *, size: int) -> Any:
    api = Api(member)
    api.headers["Origin"] = "http://localhost:3000"
    content = SimpleUploadedFile("slides.txt", b"x" * size)
    return api.upload(f"/api/sessions/{session_id}/materials/", {"title": "Slides", "type": "file", "file": content})


def assert_not_stored(answer: Any) -> None:
    assert (answer.status_code, answer.json()) == (503, NOT_STORED)
    assert answer["Retry-After"] == "5"
    assert answer["X-Request-ID"]
    assert answer["Access-Control-Allow-Origin"] == "http://localhost:3000"


@pytest.fixture
def session_id(john: User) -> int:
    """The id of a session of John."""
    values = {
        "title": "Knots",
        "description": "Five of them.",
        "subject": "Crafts",
        "level": "beginner",
        "date": "2035-05-04T18:00:00Z",
        "duration": 60,
        "max_participants": 4,
    }
    identifier: int = Api(john).post("/api/sessions/", values).json()["id"]
    return identifier


def test_a_full_temporary_folder_is_a_503(john: User, session_id: int, full_disk: None) -> None:
    assert_not_stored(upload(john, session_id, size=6 * MEBIBYTE))


def test_a_missing_temporary_folder_is_a_503(john: User, session_id: int, settings: Settings, tmp_path: Path) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "nowhere")

    assert_not_stored(upload(john, session_id, size=3 * MEBIBYTE))


def test_a_member_who_may_not_upload_gets_a_404_before_the_file_is_written(
    john: User, jane: User, session_id: int, full_disk: None
) -> None:
    assert upload(jane, session_id, size=6 * MEBIBYTE).status_code == 404


# --- Caching ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ME),
        ("GET", "/api/sessions/"),
        ("GET", "/api/notifications/"),
        ("GET", "/api/nothing/"),
        ("POST", "/api/auth/token/"),
        ("GET", "/api/files/x/"),
        ("GET", "/healthz"),
        ("GET", "/admin/login/"),
        ("GET", "/unsubscribe/"),
    ],
)
def test_responses_may_not_be_cached(john: User, method: str, path: str) -> None:
    answer = Api(john).get(path) if method == "GET" else Api(john).post(path)

    assert {"private", "no-store"} <= set(answer["Cache-Control"].split(", "))
