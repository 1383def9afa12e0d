"""What is refused whatever is asked for, and what every answer says of itself."""

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
IN_UTF_8 = {"error": "Send this request in UTF-8."}

# --- Charsets ---------------------------------------------------------------------------------------------------

ASKS: dict[str, tuple[str, str, bytes]] = {
    "JSON": ("POST", "/api/auth/token/", b"{}"),
    "a query": ("GET", "/api/sessions/?subject=x", b""),
    "nothing": ("GET", "/api/nothing/", b""),
    "an upload": ("POST", "/api/sessions/1/materials/", b"x"),
}
FOREIGN = ["zlib", "utf-16", "latin-1", "UTF-7", "rot13", "idna", "no such charset", "x" * 400, "../x"]
KINDS = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]


@pytest.mark.parametrize(("method", "path", "body"), ASKS.values(), ids=ASKS)
@pytest.mark.parametrize("kind", KINDS)
def test_another_charset_than_utf_8_is_a_415(method: str, path: str, body: bytes, kind: str) -> None:
    for charset in FOREIGN:
        answer = send(path, [body], method=method, headers={"Content-Type": f'{kind}; charset="{charset}"'})

        assert (answer.status, answer.json()) == (415, IN_UTF_8)
        assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "parameters", ["charset*=zlib''%41", "x*=zlib''%41", "x*0=a; x*1*=b", 'a="' + ";" * 100_000, "a=b;" * 50_000]
)
def test_a_content_type_that_takes_a_codec_or_long_to_read_is_a_415(
    parameters: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django reads it in the event loop: nobody else is answered meanwhile."""

    def read(content_type: str) -> Any:
        raise AssertionError(f"{len(content_type)} characters were read")

    monkeypatch.setattr(handler, "parse_header_parameters", read)

    answer = send(ME, method="GET", headers={"Content-Type": f"text/plain; {parameters}"})

    assert (answer.status, answer.json()) == (415, {"error": "The body is of a kind that is not accepted here."})


def test_a_star_outside_the_parameters_means_nothing() -> None:
    assert send(ME, method="GET", headers={"Content-Type": "*/*"}).status == 401


@pytest.mark.parametrize("path", ["/admin/login/", "/healthz", "/unsubscribe/", "/static/portal/portal.css"])
def test_outside_the_api_it_is_a_415_in_words(path: str) -> None:
    answer = send(path, method="GET", headers={"Content-Type": "text/plain; charset=zlib"})

    assert (answer.status, answer.body.decode()) == (415, "Send this request in UTF-8.")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8", "us-ascii", "ASCII", ""])
def test_utf_8_and_ascii_are_taken(charset: str) -> None:
    answer = send("/api/auth/token/", [b"{}"], headers={"Content-Type": f"application/json; charset={charset}"})

    assert answer.status == 400
    assert list(answer.json()["fields"]) == ["username", "password"]


def test_a_page_of_a_known_origin_may_read_it() -> None:
    headers = {"Content-Type": "text/plain; charset=zlib", "Origin": "http://localhost:3000"}

    answer = send(ME, method="GET", headers=headers)

    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"


# --- Sockets ----------------------------------------------------------------------------------------------------


def shake_hands(path: str, extensions: dict[str, Any]) -> list[Any]:
    """What the server is told to send."""
    scope = {"type": "websocket", "path": path, "headers": [], "query_string": b"", "extensions": extensions}

    async def shake() -> list[Any]:
        client = ApplicationCommunicator(application, scope)
        await client.send_input({"type": "websocket.connect"})
        await client.wait(timeout=5)
        return [client.output_queue.get_nowait() for _ in range(client.output_queue.qsize())]

    return async_to_sync(shake)()


@pytest.mark.parametrize("path", ["/", "/api/", "/api/sessions/1/", "/ws/", "/admin/"])
def test_a_handshake_is_refused(path: str) -> None:
    assert shake_hands(path, {"websocket.http.response": {}}) == [
        {"type": "websocket.http.response.start", "status": 404, "headers": [(b"content-type", b"application/json")]},
        {"type": "websocket.http.response.body", "body": b'{"error":"There are no sockets here."}'},
    ]
    assert shake_hands(path, {}) == [{"type": "websocket.close"}]


# --- A temporary folder that takes no more ----------------------------------------------------------------------

NOT_STORED = {"error": "The file could not be stored just now, and nothing was kept. Try again later."}
MEBIBYTE = 1024 * 1024


@pytest.fixture
def small_files() -> Iterator[None]:
    """This process may write no file of more than four mebibytes, as on a full disk."""
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
    """Of a session that John has offered."""
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


def test_a_full_temporary_folder_is_a_503(john: User, session_id: int, small_files: None) -> None:
    assert_not_stored(upload(john, session_id, size=6 * MEBIBYTE))


def test_a_temporary_folder_that_has_gone_is_a_503(
    john: User, session_id: int, settings: Settings, tmp_path: Path
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "nowhere")

    assert_not_stored(upload(john, session_id, size=3 * MEBIBYTE))


def test_nobody_learns_of_it_who_may_not_upload(john: User, jane: User, session_id: int, small_files: None) -> None:
    assert upload(jane, session_id, size=6 * MEBIBYTE).status_code == 404


# --- What may be kept on the way --------------------------------------------------------------------------------


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
def test_nobody_on_the_way_keeps_an_answer(john: User, method: str, path: str) -> None:
    answer = Api(john).get(path) if method == "GET" else Api(john).post(path)

    assert {"private", "no-store"} <= set(answer["Cache-Control"].split(", "))
