"""Errors outside the API and crashes: their format, what they reveal, and their request ids in the log."""

import logging
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client
from tests.conftest import Api
from tests.core.http.asgi import send
from tests.system.errors.answers import ME, TOKEN, read_error

from core.accounts import api as accounts_api
from core.accounts.models import User
from core.http import unknown_paths

# --- Errors outside the API ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "localhost:port", "a b", "", "localhost@evil.example"])
@pytest.mark.parametrize("debug", [True, False])
def test_a_wrong_host_is_a_400(client: Client, settings: Any, host: str, debug: bool) -> None:
    settings.DEBUG = debug

    answer = client.get(ME, headers={"host": host})

    assert read_error(answer, 400) == "The request could not be read."
    assert host not in answer.content.decode() or not host


def test_plain_http_is_refused_where_tls_is_required(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    assert read_error(client.get(ME), 403) == "This API is served over https alone."
    assert client.get(ME, headers={"x-forwarded-proto": "https"}).status_code == 401
    assert client.get("/api/docs", headers={"x-forwarded-proto": "https"}).status_code == 200
    assert client.get("/admin/")["Location"] == "https://testserver/admin/"


def test_a_request_without_a_token_is_a_401(client: Client) -> None:
    answer = client.get(ME)

    assert read_error(answer, 401) == "Log in: this needs a valid access token."
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.fixture
def log() -> Iterator[StringIO]:
    """The output of the configured handler during the test."""
    (handler,) = [each for each in logging.getLogger().handlers if each.get_name() == "stderr"]
    assert isinstance(handler, logging.StreamHandler)
    written = StringIO()
    previous = handler.setStream(written)
    yield written
    handler.setStream(previous)


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.usefixtures("crash")
def test_a_crash_reveals_nothing_and_is_logged_with_the_id_of_its_response(
    john: User, settings: Any, log: StringIO, debug: bool
) -> None:
    settings.DEBUG = debug

    answer = Api(john).get(ME)

    sentence = read_error(answer, 500)
    assert "X-Request-ID" in sentence
    assert not re.search(r"swordfish|RuntimeError|Traceback|core", answer.content.decode())
    (line,) = [line for line in log.getvalue().splitlines() if "GET /api/auth/me/ crashed" in line]
    assert f"[{answer['X-Request-ID']}]" in line
    assert "RuntimeError: the password of the database is swordfish" in log.getvalue()


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_error_is_a_503_with_a_retry_after_header(
    john: User, monkeypatch: pytest.MonkeyPatch, log: StringIO, error: type[Exception]
) -> None:
    def fail(user: User) -> None:
        raise error("connection refused by 10.1.2.3")

    monkeypatch.setattr(accounts_api, "_present_profile", fail)

    answer = Api(john).get(ME)

    assert read_error(answer, 503) == "The service is not available right now. Try again later."
    assert answer["Retry-After"] == "5"
    assert "connection refused by 10.1.2.3" in log.getvalue()


@pytest.mark.parametrize("debug", [True, False])
def test_a_crash_outside_the_api_reveals_nothing(
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

    read_error(answer, 500)
    assert "swordfish" not in answer.content.decode()
    assert f"[{answer['X-Request-ID']}] Internal Server Error: /api/sessions" in log.getvalue()
    assert "RuntimeError: swordfish" in log.getvalue()


def test_request_ids_are_unique(client: Client) -> None:
    identifiers = {client.get(path)["X-Request-ID"] for path in [ME, TOKEN, "/api/nothing/", "/healthz", "/"] * 3}

    assert len(identifiers) == 15


def test_a_client_cannot_choose_the_request_id(client: Client) -> None:
    chosen = "0" * 32

    assert client.get(ME, headers={"X-Request-ID": chosen})["X-Request-ID"] != chosen


def test_every_response_has_a_request_id(john: User, client: Client) -> None:
    for path in ("/api/docs", "/api/openapi.json", "/healthz", "/admin/login/", "/nothing/"):
        assert client.get(path)["X-Request-ID"]
    assert Api(john).get(ME)["X-Request-ID"]


def test_the_log_line_of_an_error_has_the_request_id(client: Client, log: StringIO) -> None:
    answer = client.get("/api/nothing/")

    assert f"[{answer['X-Request-ID']}] Not Found: /api/nothing/" in log.getvalue()


def test_a_path_cannot_inject_a_log_line(client: Client, log: StringIO) -> None:
    client.get("/api/nothing%0a2030-01-01 00:00:00 CRITICAL everything is lost/")

    assert not any(line.startswith("2030-01-01") for line in log.getvalue().splitlines())


# --- ASGI ---------------------------------------------------------------------------------------------------------


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
def test_errors_over_asgi_have_the_same_format(method: str, path: str, headers: dict[str, str], status: int) -> None:
    answer = send(path, [b"x"] if method == "POST" else [], method=method, headers=headers)

    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/json"
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"])
    assert list(answer.json()) == ["error"]
    assert ("Www-Authenticate" in answer.headers) == (status == 401)
    assert ("Allow" in answer.headers) == (status == 405)
