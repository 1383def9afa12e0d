"""Logging in, and the row that is stored."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.test import Client
from tests.conftest import PASSWORD, Api
from tests.core.accounts.conftest import LogIn
from tests.core.accounts.tokens import ME, TOKEN, UNKNOWN, decode_claims
from tests.core.conftest import NOW

from core.accounts import services
from core.accounts.models import Login, User


@pytest.mark.parametrize("name", ["john_doe", "John_Doe", "john@example.com", "JOHN@Example.COM"])
def test_members_log_in_by_user_name_or_address_whatever_the_case(member: User, stranger: Api, name: str) -> None:
    answer = stranger.post(TOKEN, {"username": name, "password": PASSWORD})

    assert answer.status_code == 200
    assert list(answer.json()) == ["access", "refresh"]
    assert Login.objects.get().user == member


def test_the_access_token_authenticates_the_member(member: User, log_in: LogIn) -> None:
    answer = log_in("john_doe").api.get(ME)

    assert answer.status_code == 200
    assert answer.json()["id"] == member.pk


def test_every_failed_login_gets_the_same_response(
    member: User, make_member: Callable[..., User], stranger: Api
) -> None:
    make_member("gone", is_active=False, password=make_password(PASSWORD))
    make_member("no_password", password=make_password(None))

    answers = [
        stranger.post(TOKEN, {"username": name, "password": password})
        for name, password in [
            ("john_doe", "wrong"),
            ("john@example.com", "wrong"),
            ("nobody", PASSWORD),
            ("nobody@example.com", PASSWORD),
            ("gone", PASSWORD),
            ("gone@example.com", PASSWORD),
            ("no_password", PASSWORD),
        ]
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert [answer.json() for answer in answers] == [UNKNOWN] * 7
    assert {answer["WWW-Authenticate"] for answer in answers} == {"Bearer"}
    assert not Login.objects.exists()


@pytest.mark.parametrize("meanwhile", [{"is_active": False}, {"token_version": 7}])
def test_a_member_deactivated_while_the_password_is_checked_is_rejected(
    meanwhile: dict[str, Any], member: User, stranger: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def checked(**credentials: str) -> Any:
        found = authenticate(**credentials)
        User.objects.filter(pk=member.pk).update(**meanwhile)
        return found

    monkeypatch.setattr(services, "authenticate", checked)

    answer = stranger.post(TOKEN, {"username": "john_doe", "password": PASSWORD})

    assert (answer.status_code, answer.json()) == (401, UNKNOWN)
    assert not Login.objects.exists()


def test_an_unknown_member_costs_one_hash_like_a_wrong_password(
    member: User, stranger: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the response time would reveal which user names exist."""
    from django.contrib.auth.hashers import MD5PasswordHasher

    encode = MD5PasswordHasher.encode
    hashed: list[str] = []

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return str(encode(self, password, salt))

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    counts = []
    for name in ("john_doe", "nobody", "nobody@example.com"):
        hashed.clear()
        stranger.post(TOKEN, {"username": name, "password": "wrong"})
        counts.append(len(hashed))

    assert counts == [1, 1, 1]


def test_a_login_with_an_at_sign_is_an_address(member: User, stranger: Api) -> None:
    answer = stranger.post(TOKEN, {"username": "john_doe@", "password": PASSWORD})

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"username": ["This field is required."], "password": ["This field is required."]}),
        (
            {"username": "", "password": ""},
            {"username": ["This field may not be empty."], "password": ["This field may not be empty."]},
        ),
        ({"username": "a" * 301, "password": PASSWORD}, {"username": ["At most 300 characters."]}),
        ({"username": "john_doe", "password": "x" * 1001}, {"password": ["At most 1000 characters."]}),
        ({"username": ["john_doe"], "password": PASSWORD}, {"username": ["Must be text."]}),
        (
            {"username": "john_doe\x00", "password": PASSWORD},
            {"username": ["May not contain NUL characters or broken Unicode."]},
        ),
    ],
)
def test_invalid_credentials_fields_are_a_400(
    member: User, stranger: Api, body: dict[str, Any], fields: dict[str, list[str]]
) -> None:
    answer = stranger.post(TOKEN, body)

    assert answer.status_code == 400
    assert answer.json()["fields"] == fields


def test_a_login_is_stored(member: User, clock: Any) -> None:
    client = Client(headers={"User-Agent": "Firefox on a bicycle"})

    client.post(TOKEN, {"username": "john_doe", "password": PASSWORD}, content_type="application/json")

    login = Login.objects.get()
    assert (login.user, login.created_at, login.last_used_at, login.ended_at) == (member, NOW, NOW, None)
    assert login.user_agent == "Firefox on a bicycle"
    member.refresh_from_db()
    assert member.last_login == NOW


@pytest.mark.parametrize(
    ("sent", "kept"), [("x" * 1000, "x" * 300), ("", ""), ("a\x00b", "ab"), ("\u2603 \xff", "\u2603 \xff")]
)
def test_any_user_agent_can_log_in(member: User, sent: str, kept: str) -> None:
    answer = Client(HTTP_USER_AGENT=sent).post(
        TOKEN, {"username": "john_doe", "password": PASSWORD}, content_type="application/json"
    )

    assert answer.status_code == 200
    assert Login.objects.get().user_agent == kept


def test_each_login_is_a_separate_row(member: User, log_in: LogIn) -> None:
    phone, laptop = log_in("john_doe"), log_in("john@example.com")

    assert decode_claims(phone.access)["login"] != decode_claims(laptop.access)["login"]
    assert Login.objects.count() == 2


def test_upgrading_the_hash_at_login_ends_no_login(member: User, log_in: LogIn, settings: Any) -> None:
    phone = log_in("john_doe")
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]

    laptop = log_in("john_doe")

    member.refresh_from_db()
    assert member.password.startswith("scrypt")
    assert phone.is_authenticated()
    assert phone.can_refresh()
    assert laptop.is_authenticated()
