"""Tokens that are forged, malformed, of another kind or of what is gone."""

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
from tests.core.accounts.tokens import LOGOUT, ME, REFRESH, TOKEN, assert_refused, claims_of, signed

from core.accounts.models import Login, User


def test_without_a_token_nothing_opens(stranger: Api) -> None:
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
def test_a_header_without_a_token_of_ours_is_a_401(stranger: Api, header: str) -> None:
    stranger.headers["Authorization"] = header

    answer = stranger.get(ME)

    assert answer.status_code == 401
    assert list(answer.json()) == ["error"]
    assert answer["WWW-Authenticate"] == "Bearer"


def test_the_scheme_is_read_whatever_its_case(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")
    device.api.headers["Authorization"] = f"bearer {device.access}"

    assert device.is_known()


def test_a_refresh_token_is_no_access_token_nor_the_other_way_round(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")
    access = device.access
    device.show(device.refresh)

    assert_refused(device.api.get(ME))
    assert_refused(Api().post(REFRESH, {"refresh": access}))


def test_a_token_of_a_kind_of_its_own_is_refused(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")
    claims = claims_of(device.access)

    for kind in ("sliding", "", None, 1, ["access"]):
        device.show(signed({**claims, "token_type": kind}))
        assert_refused(device.api.get(ME))


Tamper = Callable[[dict[str, Any]], str]


def unsigned(claims: dict[str, Any]) -> str:
    parts = [json.dumps({"alg": "none", "typ": "JWT"}), json.dumps(claims)]
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts) + "."


FORGERIES: dict[str, Tamper] = {
    "no algorithm": unsigned,
    "another key": lambda claims: signed(claims, key="another key that is long enough for anybody"),
    "another algorithm": lambda claims: signed(claims, algorithm="HS512"),
    "an empty signature": lambda claims: signed(claims).rsplit(".", 1)[0] + ".",
    "no signature": lambda claims: signed(claims).rsplit(".", 1)[0],
    "another body": lambda claims: ".".join(
        [signed(claims).split(".")[0], unsigned({**claims, "user_id": 1}).split(".")[1], signed(claims).split(".")[2]]
    ),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_tampered_token_is_refused(member: User, log_in: LogIn, forge: Tamper) -> None:
    device = log_in("john_doe")
    access, refresh = claims_of(device.access), claims_of(device.refresh)
    device.show(forge(access))

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
def test_a_header_of_nonsense_in_a_token_is_refused(stranger: Api, header: object) -> None:
    parts = [json.dumps(header), json.dumps({"user_id": 1, "login": 1, "version": 0})]
    stranger.headers["Authorization"] = "Bearer " + ".".join(
        [*(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts), "c2ln"]
    )

    assert_refused(stranger.get(ME))


@pytest.mark.parametrize("claim", ["user_id", "login", "version", "exp", "jti", "token_type"])
def test_a_token_that_lacks_a_claim_is_refused(member: User, log_in: LogIn, claim: str) -> None:
    """None such is ever signed here; but the key might one day sign other things."""
    device = log_in("john_doe")
    refresh = claims_of(device.refresh)
    device.show(signed({name: value for name, value in claims_of(device.access).items() if name != claim}))

    assert_refused(device.api.get(ME))
    lacking = signed({name: value for name, value in refresh.items() if name != claim})
    assert_refused(Api().post(REFRESH, {"refresh": lacking}))
    assert_refused(Api().post(LOGOUT, {"refresh": lacking}))


WRONG: list[Any] = [None, True, "", "1", "x", [], [1], {}, {"a": 1}, -1, 10**400, "\x00", "\ud800"]
NO_IDS: list[Any] = [*WRONG, 0, 1.0, 0.5, 1e308, 2**63, 2**31]
NO_TIMES: list[Any] = [*(each for each in WRONG if each is not None), None, 1e308, -1e308, 2**63, "1705146000"]
WRONG_CLAIMS: dict[str, list[Any]] = {
    "user_id": NO_IDS,
    "login": NO_IDS,
    # Another version is no wrong one for logging out, which a login that has ended may do again.
    "version": [each for each in NO_IDS if each not in (0, 2**31)],
    "exp": NO_TIMES,
    "iat": [each for each in NO_TIMES if each not in (-1, -1e308)],
    "nbf": [each for each in NO_TIMES if each not in (-1, -1e308)],
    "jti": [*(each for each in NO_IDS if not isinstance(each, str))],
    "token_type": NO_IDS,
    "sub": [each for each in NO_IDS if not isinstance(each, str)],
}


@pytest.mark.parametrize("claim", WRONG_CLAIMS)
def test_a_token_that_is_signed_right_and_has_a_claim_of_a_wrong_type_is_refused(
    member: User, log_in: LogIn, claim: str
) -> None:
    device = log_in("john_doe")
    access, refresh = claims_of(device.access), claims_of(device.refresh)
    assert type(access.get(claim)) is type(refresh.get(claim))

    for value in WRONG_CLAIMS[claim]:
        device.show(signed({**access, claim: value}))
        assert_refused(device.api.get(ME))
        wrong = signed({**refresh, claim: value})
        assert_refused(Api().post(REFRESH, {"refresh": wrong}))
        assert_refused(Api().post(LOGOUT, {"refresh": wrong}))
    assert Login.objects.get().ended_at is None


@pytest.mark.parametrize("claims", [[], ["user_id"], "x", 1, None, True, {}, "[" * 3000])
def test_a_token_that_is_signed_right_and_has_no_claims_at_all_is_refused(stranger: Api, claims: Any) -> None:
    text = claims if str(claims).startswith("[[") else json.dumps(claims)
    token = jwt.PyJWS().encode(text.encode(), settings.SECRET_KEY, algorithm="HS256")
    stranger.headers["Authorization"] = f"Bearer {token}"

    assert_refused(stranger.get(ME))
    assert_refused(Api().post(REFRESH, {"refresh": token}))
    assert_refused(Api().post(LOGOUT, {"refresh": token}))


def test_a_token_of_one_member_and_the_login_of_another_is_refused(member: User, jane: User, log_in: LogIn) -> None:
    device = log_in("john_doe")
    device.show(signed({**claims_of(device.access), "user_id": jane.pk}))

    assert_refused(device.api.get(ME))


def test_a_token_of_another_version_is_refused(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")
    device.show(signed({**claims_of(device.access), "version": member.token_version + 1}))

    assert_refused(device.api.get(ME))


def test_tokens_of_a_deleted_login_are_refused(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")
    Login.objects.all().delete()

    assert_refused(device.api.get(ME))
    assert_refused(Api().post(REFRESH, {"refresh": device.refresh}))
    assert_refused(Api().post(LOGOUT, {"refresh": device.refresh}))


def test_tokens_of_a_deleted_member_are_refused(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")
    User.objects.all().delete()

    assert_refused(device.api.get(ME))
    assert_refused(Api().post(REFRESH, {"refresh": device.refresh}))


def test_a_session_of_the_admin_opens_no_api(member: User) -> None:
    client = Client()
    client.force_login(member)

    assert client.get(ME).status_code == 401
    assert client.patch(ME, {"first_name": "Johnny"}, content_type="application/json").status_code == 401


def test_a_cookie_is_neither_asked_for_nor_set(member: User, log_in: LogIn) -> None:
    client = Client(enforce_csrf_checks=True)

    answer = client.post(TOKEN, {"username": "john_doe", "password": PASSWORD}, content_type="application/json")

    assert answer.status_code == 200
    assert not answer.cookies


def test_a_device_that_is_logged_out_can_still_log_in(member: User, log_in: LogIn) -> None:
    """A client that sends its dead token along with everything is not kept out by it."""
    device: Device = log_in("john_doe")
    Api().post(LOGOUT, {"refresh": device.refresh})

    answer = device.api.post(TOKEN, {"username": "john_doe", "password": PASSWORD})

    assert answer.status_code == 200
