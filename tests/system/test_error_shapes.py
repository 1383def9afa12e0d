"""Whatever is not 2xx has one shape, from every path under `/api/`, whoever refused it."""

import logging
import re
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client
from tests.conftest import PASSWORD, Api
from tests.core.http.asgi import send

from core.accounts import api as accounts_api
from core.accounts.models import User
from core.http import unknown_paths

ORIGIN = "http://localhost:3000"
EXPOSED = {
    *("Accept-Ranges", "Content-Disposition", "Content-Range", "ETag"),
    "Link",
    "X-Request-ID",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
}
ME = "/api/auth/me/"
TOKEN = "/api/auth/token/"
REGISTER = "/api/auth/register/"


def error_of(answer: Any, status: int) -> str:
    """The sentence of an answer that has nothing but it."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"].startswith("application/json")
    assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-ID"])
    body = answer.json()
    assert list(body) == ["error"]
    sentence = body["error"]
    assert isinstance(sentence, str)
    assert sentence
    return sentence


@pytest.fixture
def client() -> Client:
    """Nobody in particular, who gets answers where the product crashes."""
    return Client(raise_request_exception=False)


# --- Paths ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/nothing/",
        "/api/nothing",
        "/api/auth/",
        "/api/auth/token/refresh/more/",
        "/api/sessions/abc/",
        "/api/sessions/-1/",
        "/api/sessions/1.5/",
        "/api/sessions//",
        "/api//sessions/",
        "/api/%00/",
        "/api/%ed%a0%80/",
        "/api/%ff/",
        "/api/../admin/",
        "/api/" + "x" * 5000,
        "/api/sessions/" + "9" * 5000 + "/",
        "/api/<script>alert(1)</script>/",
        "/api/a%0d%0aSet-Cookie:%20a=b/",
        "/api/{path}/",
    ],
)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_an_unknown_path_is_a_404_whatever_the_method(client: Client, method: str, path: str) -> None:
    answer = getattr(client, method)(path)

    assert error_of(answer, 404) in {"There is nothing at this path.", "Not found."}
    assert not answer.cookies


@pytest.mark.parametrize(
    "path", ["/api/auth/token", "/api/auth/me", "/api/auth/password/reset/confirm", "/api/sessions", "/api/sessions/1"]
)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_a_missing_slash_is_no_redirect_but_a_404_that_names_the_right_path(
    client: Client, method: str, path: str
) -> None:
    answer = getattr(client, method)(f"{path}?page=2")

    assert error_of(answer, 404) == f"Paths end in a slash here: {path}/"
    assert "Location" not in answer


def test_the_prefix_itself_is_answered_in_shape(client: Client) -> None:
    assert error_of(client.get("/api"), 404) == "There is nothing at this path."


@pytest.mark.parametrize("number", [0, 2**63, 10**30])
def test_an_id_that_no_row_can_have_is_a_404(john: User, number: int) -> None:
    error_of(Api(john).get(f"/api/sessions/{number}/"), 404)


# --- Methods ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", TOKEN, {"POST"}),
        ("DELETE", REGISTER, {"POST"}),
        ("POST", ME, {"GET", "PATCH"}),
        ("PUT", ME, {"GET", "PATCH"}),
        ("PATCH", "/api/sessions/", {"GET", "POST"}),
        ("POST", "/api/sessions/1/", {"GET", "PUT", "DELETE"}),
        ("POST", "/api/sessions/my_sessions/", {"GET"}),
        ("TRACE", ME, {"GET", "PATCH"}),
        ("BREW", ME, {"GET", "PATCH"}),
        ("OPTIONS", ME, {"GET", "PATCH"}),
        ("OPTIONS", "/api/sessions/", {"GET", "POST"}),
    ],
)
def test_a_method_that_a_path_does_not_take_is_a_405_that_names_those_it_does(
    client: Client, method: str, path: str, allowed: set[str]
) -> None:
    answer = client.generic(method, path)

    assert error_of(answer, 405) == "This path does not take that method."
    assert set(answer["Allow"].split(", ")) == allowed


@pytest.mark.parametrize(("path", "status"), [("/api/nothing/", 404), (ME, 405)])
def test_a_head_request_is_answered_without_a_body(client: Client, path: str, status: int) -> None:
    answer = client.head(path)

    assert answer.status_code == status
    assert answer.content == b""
    assert answer["Content-Type"].startswith("application/json")
    assert answer["X-Request-ID"]


# --- Bodies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'username': 'x'}",
        b'{"username": NaN}',
        b'{"username": "\xff"}',
        b'{"username": "\\ud800"}',
        b"username=x",
        b"\x00",
        b'{"a": 1} {"b": 2}',
        b'{"a":' * 100_000,
        b"[" * 100_000,
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b" ",
    ],
)
def test_what_is_no_json_is_a_400_that_says_so(client: Client, body: bytes) -> None:
    answer = client.generic("POST", TOKEN, body, content_type="application/json")

    assert error_of(answer, 400).startswith("The body is not valid JSON: ")


@pytest.mark.parametrize("body", [b"null", b"[]", b'["username"]', b'"username"', b"1", b"true", b"1.5"])
def test_json_that_is_no_object_is_a_400_that_says_so(client: Client, body: bytes) -> None:
    answer = client.generic("POST", TOKEN, body, content_type="application/json")

    assert error_of(answer, 400) == "The body must be a JSON object."


@pytest.mark.parametrize("kind", ["", "application/json", "text/plain", "multipart/form-data; boundary=x"])
def test_no_body_where_one_is_needed_is_a_400_that_names_what_is_missing(client: Client, kind: str) -> None:
    answer = client.generic("POST", TOKEN, b"", content_type=kind)

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "username: This field is required.",
        "fields": {"username": ["This field is required."], "password": ["This field is required."]},
    }


@pytest.mark.parametrize(("method", "path"), [("PATCH", ME), ("PUT", "/api/notifications/preferences/")])
def test_no_body_where_nothing_is_needed_changes_nothing(john: User, method: str, path: str) -> None:
    before = Api(john).get(path).json()

    answer = getattr(Api(john), method.lower())(path)

    assert (answer.status_code, answer.json()) == (200, before)


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonp",
        "",
        "nonsense",
        "; charset=utf-8",
    ],
)
def test_a_body_of_another_kind_is_a_415_that_names_the_right_one(client: Client, kind: str) -> None:
    answer = client.generic("POST", TOKEN, b'{"username": "x", "password": "y"}', content_type=kind)

    assert error_of(answer, 415) == "Send this body as application/json."


@pytest.mark.parametrize(
    "kind",
    [
        "application/json; charset=utf-8",
        "Application/JSON",
        'application/json;charset="UTF-8"',
        "application/json; x=y",
    ],
)
def test_json_is_known_by_its_type_whatever_comes_with_it(member: User, client: Client, kind: str) -> None:
    body = f'{{"username": "john_doe", "password": "{PASSWORD}"}}'.encode()

    assert client.generic("POST", TOKEN, body, content_type=kind).status_code == 200


@pytest.fixture
def member(john: User) -> User:
    john.set_password(PASSWORD)
    john.save()
    return john


def test_a_body_beyond_what_json_may_be_is_a_413(client: Client) -> None:
    answer = client.post(TOKEN, {"username": "x" * (1024 * 1024), "password": "y"}, content_type="application/json")

    assert error_of(answer, 413) == "The body is larger than anything that is accepted here."


@pytest.mark.parametrize("path", [TOKEN, ME, "/api/sessions/", "/api/nothing/", "/api/sessions"])
def test_a_body_beyond_what_any_operation_takes_is_a_413_before_anything_is_read(
    client: Client, settings: Any, path: str
) -> None:
    answer = client.generic(
        "POST", path, b"", content_type="application/json", CONTENT_LENGTH=str(settings.REQUEST_MAX_BYTES + 1)
    )

    error_of(answer, 413)


def test_every_wrong_value_is_named(client: Client) -> None:
    answer = client.post(REGISTER, {"username": 1, "first_name": "x" * 151}, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "username: Must be text.",
        "fields": {
            "username": ["Must be text."],
            "email": ["This field is required."],
            "password": ["This field is required."],
            "first_name": ["At most 150 characters."],
        },
    }


# --- Refusals that come before or after the API -----------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "localhost:port", "a b", "", "localhost@evil.example"])
@pytest.mark.parametrize("debug", [True, False])
def test_another_host_is_a_400(client: Client, settings: Any, host: str, debug: bool) -> None:
    settings.DEBUG = debug

    answer = client.get(ME, headers={"host": host})

    assert error_of(answer, 400) == "The request could not be read."
    assert host not in answer.content.decode() or not host


def test_where_there_is_tls_nothing_is_taken_in_the_open(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    assert error_of(client.get(ME), 403) == "This API is served over https alone."
    assert client.get(ME, headers={"x-forwarded-proto": "https"}).status_code == 401
    assert client.get("/api/docs", headers={"x-forwarded-proto": "https"}).status_code == 200
    assert client.get("/admin/")["Location"] == "https://testserver/admin/"


def test_who_is_not_logged_in_gets_a_401(client: Client) -> None:
    answer = client.get(ME)

    assert error_of(answer, 401) == "Log in: this needs a valid access token."
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.fixture
def log() -> Iterator[StringIO]:
    """The log as the process writes it."""
    (handler,) = [each for each in logging.getLogger().handlers if each.get_name() == "stderr"]
    assert isinstance(handler, logging.StreamHandler)
    written = StringIO()
    before = handler.setStream(written)
    yield written
    handler.setStream(before)


@pytest.fixture
def crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for a profile meets a bug."""

    def fail(user: User) -> None:
        raise RuntimeError("the password of the database is swordfish")

    monkeypatch.setattr(accounts_api, "_profile", fail)


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.usefixtures("crash")
def test_a_crash_tells_nothing_and_is_found_in_the_log_by_the_id_of_the_answer(
    john: User, settings: Any, log: StringIO, debug: bool
) -> None:
    settings.DEBUG = debug

    answer = Api(john).get(ME)

    sentence = error_of(answer, 500)
    assert "X-Request-ID" in sentence
    assert not re.search(r"swordfish|RuntimeError|Traceback|core", answer.content.decode())
    (line,) = [line for line in log.getvalue().splitlines() if "GET /api/auth/me/ crashed" in line]
    assert f"[{answer['X-Request-ID']}]" in line
    assert "RuntimeError: the password of the database is swordfish" in log.getvalue()


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_does_not_answer_is_a_503_that_says_when_to_try_again(
    john: User, monkeypatch: pytest.MonkeyPatch, log: StringIO, error: type[Exception]
) -> None:
    def fail(user: User) -> None:
        raise error("connection refused by 10.1.2.3")

    monkeypatch.setattr(accounts_api, "_profile", fail)

    answer = Api(john).get(ME)

    assert error_of(answer, 503) == "The service is not available right now. Try again later."
    assert answer["Retry-After"] == "5"
    assert "connection refused by 10.1.2.3" in log.getvalue()


@pytest.mark.parametrize("debug", [True, False])
def test_a_crash_outside_the_api_tells_nothing_either(
    client: Client,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    log: StringIO,
    debug: bool,
) -> None:
    settings.DEBUG = debug

    def fail(path: str) -> bool:
        raise RuntimeError("swordfish")

    monkeypatch.setattr(unknown_paths, "_is_known", fail)

    answer = client.get("/api/sessions")

    error_of(answer, 500)
    assert "swordfish" not in answer.content.decode()
    assert f"[{answer['X-Request-ID']}] Internal Server Error: /api/sessions" in log.getvalue()
    assert "RuntimeError: swordfish" in log.getvalue()


def test_no_two_answers_have_the_same_id(client: Client) -> None:
    identifiers = {client.get(path)["X-Request-ID"] for path in [ME, TOKEN, "/api/nothing/", "/healthz", "/"] * 3}

    assert len(identifiers) == 15


def test_a_client_cannot_choose_the_id(client: Client) -> None:
    chosen = "0" * 32

    assert client.get(ME, headers={"X-Request-ID": chosen})["X-Request-ID"] != chosen


def test_every_answer_has_an_id(john: User, client: Client) -> None:
    for path in ("/api/docs", "/api/openapi.json", "/healthz", "/admin/login/", "/nothing/"):
        assert client.get(path)["X-Request-ID"]
    assert Api(john).get(ME)["X-Request-ID"]


def test_the_log_line_of_a_refusal_has_the_id_too(client: Client, log: StringIO) -> None:
    answer = client.get("/api/nothing/")

    assert f"[{answer['X-Request-ID']}] Not Found: /api/nothing/" in log.getvalue()


def test_no_path_in_a_log_line_makes_a_line_of_its_own(client: Client, log: StringIO) -> None:
    client.get("/api/nothing%0a2030-01-01 00:00:00 CRITICAL everything is lost/")

    assert not any(line.startswith("2030-01-01") for line in log.getvalue().splitlines())


# --- The same over ASGI -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/api/nothing/", {}, 404),
        ("GET", "/api/auth/me", {}, 404),
        ("GET", TOKEN, {}, 405),
        ("GET", ME, {}, 401),
        ("POST", TOKEN, {"Content-Type": "text/plain"}, 415),
        ("POST", TOKEN, {"Content-Type": "application/json"}, 400),
        ("GET", ME, {"Host": "evil.example"}, 400),
        ("GET", ME, {"Authorization": "Bearer \xe9"}, 401),
    ],
)
def test_an_asgi_server_gives_the_same_answers(method: str, path: str, headers: dict[str, str], status: int) -> None:
    answer = send(path, [b"x"] if method == "POST" else [], method=method, headers=headers)

    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/json"
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"])
    assert list(answer.json()) == ["error"]
    assert ("Www-Authenticate" in answer.headers) == (status == 401)
    assert ("Allow" in answer.headers) == (status == 405)


# --- Browsers of another origin ---------------------------------------------------------------------------------


Ask = Callable[[Client], Any]
ANSWERS: dict[str, tuple[Ask, int]] = {
    "401": (lambda client: client.get(ME, headers={"origin": ORIGIN}), 401),
    "404": (lambda client: client.get("/api/nothing/", headers={"origin": ORIGIN}), 404),
    "404 for a slash": (lambda client: client.get("/api/sessions", headers={"origin": ORIGIN}), 404),
    "405": (lambda client: client.get(TOKEN, headers={"origin": ORIGIN}), 405),
    "400": (lambda client: client.post(TOKEN, "{", "application/json", headers={"origin": ORIGIN}), 400),
    "413": (lambda client: client.post(TOKEN, b"x" * 2**21, "application/json", headers={"origin": ORIGIN}), 413),
    "415": (lambda client: client.post(TOKEN, "x", "text/plain", headers={"origin": ORIGIN}), 415),
    "another host": (lambda client: client.get(ME, headers={"origin": ORIGIN, "host": "evil.example"}), 400),
    "the docs": (lambda client: client.get("/api/openapi.json", headers={"origin": ORIGIN}), 200),
}  # fmt: skip


@pytest.mark.parametrize(("ask", "status"), ANSWERS.values(), ids=ANSWERS)
def test_a_browser_of_a_known_origin_may_read_every_answer(client: Client, ask: Ask, status: int) -> None:
    answer = ask(client)

    assert answer.status_code == status
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert set(answer["Access-Control-Expose-Headers"].split(", ")) == EXPOSED
    assert "origin" in answer["Vary"].lower()


@pytest.mark.usefixtures("crash")
def test_a_browser_of_a_known_origin_may_read_that_we_crashed(john: User) -> None:
    api = Api(john)
    api.headers["Origin"] = ORIGIN

    answer = api.get(ME)

    assert answer.status_code == 500
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert "X-Request-ID" in answer["Access-Control-Expose-Headers"]


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:3001",
        "https://localhost:3000",
        "http://evil.example",
        "http://localhost:3000.evil.example",
        "http://evil.example/http://localhost:3000",
        "null",
        "http://[",
        "http://localhost:x",
        "",
    ],
)
def test_a_browser_of_another_origin_may_not(client: Client, origin: str) -> None:
    for answer in (
        client.get(ME, headers={"origin": origin}),
        client.options(ME, headers={"origin": origin, **PREFLIGHT}),
    ):
        assert not any(header.lower().startswith("access-control") for header in answer.headers)


PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,idempotency-key,x-csrftoken",
}


@pytest.mark.parametrize(
    "header",
    [
        *("accept", "authorization", "content-type", "user-agent", "x-csrftoken", "x-requested-with"),
        *("idempotency-key", "range", "if-range", "if-none-match"),
    ],
)
def test_a_page_may_send_each_header_that_clients_send(client: Client, header: str) -> None:
    answer = client.options(ME, headers={"origin": ORIGIN, **PREFLIGHT, "Access-Control-Request-Headers": header})

    assert answer.status_code == 200
    assert header in answer["Access-Control-Allow-Headers"].split(", ")


@pytest.mark.parametrize("path", [TOKEN, ME, "/api/sessions/", "/api/sessions/1/join/", "/api/nothing/"])
def test_a_preflight_is_answered_without_a_token(client: Client, path: str) -> None:
    answer = client.options(path, headers={"origin": ORIGIN, **PREFLIGHT})

    assert answer.status_code == 200
    assert answer.content == b""
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= set(answer["Access-Control-Allow-Methods"].split(", "))
    assert int(answer["Access-Control-Max-Age"]) > 0
    assert answer["X-Request-ID"]


def test_cookies_are_for_nobody_of_another_origin(client: Client) -> None:
    answer = client.options(ME, headers={"origin": ORIGIN, **PREFLIGHT})

    assert "Access-Control-Allow-Credentials" not in answer


def test_the_admin_is_for_no_other_origin(client: Client, db: None) -> None:
    answer = client.get("/admin/login/", headers={"origin": ORIGIN})

    assert "Access-Control-Allow-Origin" not in answer
