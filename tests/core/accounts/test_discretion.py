"""No operation reveals whether an address has an account."""

import re
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.conftest import PASSWORD, Api

from core.accounts.models import User

CALLS = {
    "asking for a new password": ("/api/auth/password/reset/", lambda address: {"email": address}),
    "logging in": ("/api/auth/token/", lambda address: {"username": address, "password": "wrong"}),
}


def observe(api: Api, path: str, body: dict[str, str]) -> tuple[Any, ...]:
    """What a stranger can see of a response, and the queries, whose time they could measure."""
    with CaptureQueriesContext(connection) as captured:
        answer = api.post(path, body)
    headers = {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}
    shapes = [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in captured.captured_queries]
    return answer.status_code, answer.json(), headers, shapes


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_responses_and_queries_do_not_reveal_whether_an_address_has_an_account(
    member: User, make_member: Any, stranger: Api, call: tuple[str, Any]
) -> None:
    path, body = call
    make_member("inactive", email="gone@example.com", is_active=False)
    make_member("machine", email="machine@example.com", password=make_password(None))

    known = observe(stranger, path, body("john@example.com"))

    for address in ("nobody@example.com", "gone@example.com", "machine@example.com", "JOHN@example.com"):
        assert observe(stranger, path, body(address)) == known


def test_an_address_change_does_not_reveal_whether_the_address_is_taken(member: User, jane: User) -> None:
    api = Api(member)

    taken, free = (
        observe(api, "/api/auth/email/change/", {"password": PASSWORD, "new_email": address})
        for address in ("jane@example.com", "free@example.com")
    )

    assert taken == free


def test_validation_errors_do_not_depend_on_the_address(member: User, stranger: Api) -> None:
    for body in (
        {"username": "john_doe", "email": "john@example.com", "password": PASSWORD},
        {"username": "new", "email": "john@example.com", "password": "short"},
    ):
        taken = stranger.post("/api/auth/register/", body)
        free = stranger.post("/api/auth/register/", {**body, "email": "free@example.com"})
        assert (taken.status_code, taken.json()) == (free.status_code, free.json())
        assert taken.status_code == 400
