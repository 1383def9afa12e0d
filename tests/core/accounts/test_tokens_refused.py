"""Tokens that are forged, malformed, of another type or of deleted rows."""

import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.test import Client
from tests.conftest import PASSWORD, Api
from tests.core.accounts.conftest import Device, LogIn
from tests.core.accounts.tokens import LOGOUT, ME, REFRESH, TOKEN, assert_refused, decode_claims, sign_token

from core.accounts.models import Login, User


def test_a_request_without_a_token_is_a_401(stranger: Api) -> None:
    answer = stranger.get(ME)

    assert answer.status_code == 401
    assert answer.json() == {"error": "Log in: this needs a valid access token."}
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer  ",
        "Basic am9objpkb2U=",
        "Token x",
        "x",
        "Bearer a.b.c",
        "Bearer ....",
        "Bearer é",
        "Bearer \x00",
        "Bearer a b",
        "Bearer {}.{}.{}",
    ],
)
def test_a_malformed_authorization_header_is_a_401(stranger: Api, header: str) -> None:
    stranger.headers["Authorization"] = header

    answer = stranger.get(ME)

    assert answer.status_code == 401
    assert list(answer.json()) == ["error"]
    assert answer["WWW-Authenticate"] == "Bearer"


def test_the_scheme_is_case_insensitive(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")
    device.api.headers["Authorization"] = f"bearer {device.access}"

    assert device.is_authenticated()


def test_access_and_refresh_tokens_are_not_interchangeable(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")
    access = device.access
    device.use_access_token(device.refresh)

    assert_refused(device.api.get(ME))
    assert_refused(Api().post(REFRESH, {"refresh": access}))


def test_a_token_of_an_unknown_type_is_rejected(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")
    claims = decode_claims(device.access)

    for kind in ("sliding", "", None, 1, ["access"]):
        device.use_access_token(sign_token({**claims, "token_type": kind}))
        assert_refused(device.api.get(ME))


Tamper = Callable[[dict[str, Any]], str]


def unsigned(claims: dict[str, Any]) -> str:
    parts = [json.dumps({"alg": "none", "typ": "JWT"}), json.dumps(claims)]
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts) + "."


FORGERIES: dict[str, Tamper] = {
    "no algorithm": unsigned,
    "another key": lambda claims: sign_token(claims, key="another key that is long enough for anybody"),
    "another algorithm": lambda claims: sign_token(claims, algorithm="HS512"),
    "an empty signature": lambda claims: sign_token(claims).rsplit(".", 1)[0] + ".",
    "no signature": lambda claims: sign_token(claims).rsplit(".", 1)[0],
    "another body": lambda claims: ".".join(
        [
            sign_token(claims).split(".")[0],
            unsigned({**claims, "user_id": 1}).split(".")[1],
            sign_token(claims).split(".")[2],
        ]
    ),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_tampered_token_is_rejected(member: User, log_in: LogIn, forge: Tamper) -> None:
    device = log_in("john_doe")
    access, refresh = decode_claims(device.access), decode_claims(device.refresh)
    device.use_access_token(forge(access))

    assert_refused(device.api.get(ME))
    assert_refused(Api().post(REFRESH, {"refresh": forge(refresh)}))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": 1},
        {"alg": ["HS256"]},
        {"alg": "HS256", "kid": 1},
        {"alg": "HS256", "crit": ["exp"]},
        {"alg": "HS256", "b64": False, "crit": ["b64"]},
        {},
        [],
        None,
        "HS256",
    ],
)
def test_a_token_with_an_invalid_header_is_rejected(stranger: Api, header: object) -> None:
    parts = [json.dumps(header), json.dumps({"user_id": 1, "login": 1, "version": 0})]
    stranger.headers["Authorization"] = "Bearer " + ".".join(
        [*(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts), "c2ln"]
    )

    assert_refused(stranger.get(ME))


@pytest.mark.parametrize("claim", ["user_id", "login", "version", "exp", "jti", "token_type"])
def test_a_token_without_a_required_claim_is_rejected(member: User, log_in: LogIn, claim: str) -> None:
    """No such token is issued here, but the key may be used to sign other things."""
    device = log_in("john_doe")
    refresh = decode_claims(device.refresh)
    device.use_access_token(
        sign_token({name: value for name, value in decode_claims(device.access).items() if name != claim})
    )

    assert_refused(device.api.get(ME))
    lacking = sign_token({name: value for name, value in refresh.items() if name != claim})
    assert_refused(Api().post(REFRESH, {"refresh": lacking}))
    assert_refused(Api().post(LOGOUT, {"refresh": lacking}))


WRONG: list[Any] = [None, True, "", "1", "x", [], [1], {}, {"a": 1}, -1, 10**400, "\x00", "\ud800"]
NO_IDS: list[Any] = [*WRONG, 0, 1.0, 0.5, 1e308, 2**63, 2**31]
NO_TIMES: list[Any] = [*(each for each in WRONG if each is not None), None, 1e308, -1e308, 2**63, "1705146000"]
WRONG_CLAIMS: dict[str, list[Any]] = {
    "user_id": NO_IDS,
    "login": NO_IDS,
    # Logging out is idempotent, and so ignores the version.
    "version": [each for each in NO_IDS if each not in (0, 2**31)],
    "exp": NO_TIMES,
    "iat": [each for each in NO_TIMES if each not in (-1, -1e308)],
    "nbf": [each for each in NO_TIMES if each not in (-1, -1e308)],
    "jti": [*(each for each in NO_IDS if not isinstance(each, str))],
    "token_type": NO_IDS,
    "sub": [each for each in NO_IDS if not isinstance(each, str)],
}


@pytest.mark.parametrize("claim", WRONG_CLAIMS)
def test_a_signed_token_with_a_claim_of_a_wrong_type_is_rejected(member: User, log_in: LogIn, claim: str) -> None:
    device = log_in("john_doe")
    access, refresh = decode_claims(device.access), decode_claims(device.refresh)
    assert type(access.get(claim)) is type(refresh.get(claim))

    for value in WRONG_CLAIMS[claim]:
        device.use_access_token(sign_token({**access, claim: value}))
        assert_refused(device.api.get(ME))
        wrong = sign_token({**refresh, claim: value})
        assert_refused(Api().post(REFRESH, {"refresh": wrong}))
        assert_refused(Api().post(LOGOUT, {"refresh": wrong}))
    assert Login.objects.get().ended_at is None


@pytest.mark.parametrize("claims", [[], ["user_id"], "x", 1, None, True, {}, "[" * 3000])
def test_a_signed_token_whose_payload_is_no_object_is_rejected(stranger: Api, claims: Any) -> None:
    text = claims if str(claims).startswith("[[") else json.dumps(claims)
    token = jwt.PyJWS().encode(text.encode(), settings.SECRET_KEY, algorithm="HS256")
    stranger.headers["Authorization"] = f"Bearer {token}"

    assert_refused(stranger.get(ME))
    assert_refused(Api().post(REFRESH, {"refresh": token}))
    assert_refused(Api().post(LOGOUT, {"refresh": token}))


def test_a_token_with_the_login_of_another_member_is_rejected(member: User, jane: User, log_in: LogIn) -> None:
    device = log_in("john_doe")
    device.use_access_token(sign_token({**decode_claims(device.access), "user_id": jane.pk}))

    assert_refused(device.api.get(ME))


def test_a_token_of_another_version_is_rejected(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")
    device.use_access_token(sign_token({**decode_claims(device.access), "version": member.token_version + 1}))

    assert_refused(device.api.get(ME))


def test_tokens_of_a_deleted_login_are_rejected(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")
    Login.objects.all().delete()

    assert_refused(device.api.get(ME))
    assert_refused(Api().post(REFRESH, {"refresh": device.refresh}))
    assert_refused(Api().post(LOGOUT, {"refresh": device.refresh}))


def test_tokens_of_a_deleted_member_are_rejected(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")
    User.objects.all().delete()

    assert_refused(device.api.get(ME))
    assert_refused(Api().post(REFRESH, {"refresh": device.refresh}))


def test_an_admin_session_does_not_authenticate_api_requests(member: User) -> None:
    client = Client()
    client.force_login(member)

    assert client.get(ME).status_code == 401
    assert client.patch(ME, {"first_name": "Johnny"}, content_type="application/json").status_code == 401


def test_the_api_neither_reads_nor_sets_cookies(member: User, log_in: LogIn) -> None:
    client = Client(enforce_csrf_checks=True)

    answer = client.post(TOKEN, {"username": "john_doe", "password": PASSWORD}, content_type="application/json")

    assert answer.status_code == 200
    assert not answer.cookies


def test_logging_in_ignores_an_invalid_access_token(member: User, log_in: LogIn) -> None:
    device: Device = log_in("john_doe")
    Api().post(LOGOUT, {"refresh": device.refresh})

    answer = device.api.post(TOKEN, {"username": "john_doe", "password": PASSWORD})

    assert answer.status_code == 200
