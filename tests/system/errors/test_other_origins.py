"""CORS: allowed origins may read every response, and others none."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from tests.conftest import Api
from tests.system.errors.answers import ME, TOKEN

from core.accounts.models import User

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
def test_an_allowed_origin_may_read_every_response(client: Client, ask: Ask, status: int) -> None:
    answer = ask(client)

    assert answer.status_code == status
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert set(answer["Access-Control-Expose-Headers"].split(", ")) == EXPOSED
    assert "origin" in answer["Vary"].lower()


@pytest.mark.usefixtures("crash")
def test_an_allowed_origin_may_read_the_response_of_a_crash(john: User) -> None:
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
def test_another_origin_may_not_read_responses(client: Client, origin: str) -> None:
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
def test_a_preflight_allows_the_headers_of_clients(client: Client, header: str) -> None:
    answer = client.options(ME, headers={"origin": ORIGIN, **PREFLIGHT, "Access-Control-Request-Headers": header})

    assert answer.status_code == 200
    assert header in answer["Access-Control-Allow-Headers"].split(", ")


@pytest.mark.parametrize("path", [TOKEN, ME, "/api/sessions/", "/api/sessions/1/join/", "/api/nothing/"])
def test_a_preflight_needs_no_token(client: Client, path: str) -> None:
    answer = client.options(path, headers={"origin": ORIGIN, **PREFLIGHT})

    assert answer.status_code == 200
    assert answer.content == b""
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= set(answer["Access-Control-Allow-Methods"].split(", "))
    assert int(answer["Access-Control-Max-Age"]) > 0
    assert answer["X-Request-ID"]


def test_credentials_are_not_allowed_for_other_origins(client: Client) -> None:
    answer = client.options(ME, headers={"origin": ORIGIN, **PREFLIGHT})

    assert "Access-Control-Allow-Credentials" not in answer


def test_the_portal_has_no_cors_headers(client: Client, db: None) -> None:
    answer = client.get("/admin/login/", headers={"origin": ORIGIN})

    assert "Access-Control-Allow-Origin" not in answer
