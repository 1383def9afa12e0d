"""Logging in, showing a token, getting a new one, logging out."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.conftest import PASSWORD, Api
from tests.core.accounts.conftest import Device, LogIn
from tests.core.conftest import NOW

from core.accounts import services
from core.accounts.models import Login, User
from core.facts.models import FactRecord

TOKEN = "/api/auth/token/"
REFRESH = "/api/auth/token/refresh/"
LOGOUT = "/api/auth/logout/"
ME = "/api/auth/me/"

ENDED = {"error": "Your login is not valid or has ended. Log in again."}
UNKNOWN = {"error": "No active account fits this user name and password."}


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def signed(claims: dict[str, Any], *, key: str = "", algorithm: str = "HS256") -> str:
    return jwt.encode(claims, key or settings.SECRET_KEY, algorithm=algorithm)


def assert_refused(answer: Any) -> None:
    assert answer.status_code == 401
    assert answer.json() == ENDED
    assert answer["WWW-Authenticate"] == "Bearer"


# --- Logging in -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["john_doe", "John_Doe", "john@example.com", "JOHN@Example.COM"])
def test_one_logs_in_by_user_name_or_address_whatever_the_case(member: User, stranger: Api, name: str) -> None:
    answer = stranger.post(TOKEN, {"username": name, "password": PASSWORD})

    assert answer.status_code == 200
    assert list(answer.json()) == ["access", "refresh"]
    assert Login.objects.get().user == member


def test_the_access_token_opens_ones_own_profile(member: User, log_in: LogIn) -> None:
    answer = log_in("john_doe").api.get(ME)

    assert answer.status_code == 200
    assert answer.json()["id"] == member.pk


def test_a_wrong_password_an_unknown_and_an_inactive_member_are_answered_alike(
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
def test_one_who_is_kept_out_while_the_password_is_checked_is_not_let_in(
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


def test_an_unknown_member_costs_one_hashing_like_a_wrong_password(
    member: User, stranger: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time that hashing takes would tell a stranger which names there are."""
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


def test_an_at_means_an_address_and_never_a_user_name(member: User, stranger: Api) -> None:
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
def test_credentials_that_cannot_be_any_are_a_400(
    member: User, stranger: Api, body: dict[str, Any], fields: dict[str, list[str]]
) -> None:
    answer = stranger.post(TOKEN, body)

    assert answer.status_code == 400
    assert answer.json()["fields"] == fields


def test_a_login_is_a_row(member: User, clock: Any) -> None:
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


def test_each_login_is_one_of_its_own(member: User, log_in: LogIn) -> None:
    phone, laptop = log_in("john_doe"), log_in("john@example.com")

    assert claims_of(phone.access)["login"] != claims_of(laptop.access)["login"]
    assert Login.objects.count() == 2


def test_a_stronger_hash_on_logging_in_ends_no_login(member: User, log_in: LogIn, settings: Any) -> None:
    phone = log_in("john_doe")
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]

    laptop = log_in("john_doe")

    member.refresh_from_db()
    assert member.password.startswith("scrypt")
    assert phone.is_known()
    assert phone.can_refresh()
    assert laptop.is_known()


# --- What a token carries ---------------------------------------------------------------------------------------


def test_tokens_carry_their_login_and_the_version(member: User, log_in: LogIn, clock: Any) -> None:
    device = log_in("john_doe")

    access, refresh = claims_of(device.access), claims_of(device.refresh)
    expected = {"user_id": member.pk, "login": Login.objects.get().pk, "version": member.token_version}
    assert expected.items() <= access.items()
    assert expected.items() <= refresh.items()
    assert (access["token_type"], refresh["token_type"]) == ("access", "refresh")
    assert access["exp"] == (NOW + timedelta(minutes=10)).timestamp()
    assert refresh["exp"] == (NOW + timedelta(days=14)).timestamp()


def test_tokens_tell_nothing_about_a_member(member: User, log_in: LogIn) -> None:
    known = {"user_id", "login", "version", "token_type", "exp", "iat", "jti"}

    device = log_in("john_doe")

    assert set(claims_of(device.access)) == known
    assert set(claims_of(device.refresh)) == known


def test_one_query_authenticates_a_request(member: User, log_in: LogIn, django_assert_num_queries: Any) -> None:
    api = log_in("john_doe").api

    with django_assert_num_queries(1):
        assert api.get(ME).status_code == 200


def test_one_query_refuses_a_request(member: User, log_in: LogIn, django_assert_num_queries: Any) -> None:
    device = log_in("john_doe")
    Api().post(LOGOUT, {"refresh": device.refresh})

    with django_assert_num_queries(1):
        assert_refused(device.api.get(ME))


def test_one_query_and_the_note_of_its_use_refresh(member: User, log_in: LogIn, django_assert_num_queries: Any) -> None:
    device = log_in("john_doe")

    with django_assert_num_queries(2) as captured:
        assert device.can_refresh()

    assert reads_of(captured) == 1


def reads_of(captured: CaptureQueriesContext) -> int:
    return sum(query["sql"].startswith("SELECT") for query in captured.captured_queries)


def test_a_token_that_is_not_ours_costs_no_query(stranger: Api, django_assert_num_queries: Any) -> None:
    stranger.headers["Authorization"] = "Bearer nonsense"

    with django_assert_num_queries(0):
        assert_refused(stranger.get(ME))


# --- Refreshing -------------------------------------------------------------------------------------------------


def test_refreshing_gives_a_working_access_token_and_nothing_else(member: User, log_in: LogIn, clock: Any) -> None:
    device = log_in("john_doe")
    clock.shift(timedelta(minutes=11))
    assert not device.is_known()

    answer = Api().post(REFRESH, {"refresh": device.refresh})

    assert answer.status_code == 200
    assert list(answer.json()) == ["access"]
    device.show(answer.json()["access"])
    assert device.is_known()


def test_refreshing_never_invalidates_the_refresh_token(member: User, log_in: LogIn, clock: Any) -> None:
    device = log_in("john_doe")

    for _ in range(5):
        clock.shift(timedelta(days=2))
        assert device.can_refresh()


def test_refreshing_leaves_older_access_tokens_alone(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")

    device.can_refresh()

    assert device.is_known()


def test_refreshing_notes_when_the_login_was_last_used(member: User, log_in: LogIn, clock: Any) -> None:
    device = log_in("john_doe")
    clock.shift(timedelta(days=3))

    device.can_refresh()

    login = Login.objects.get()
    assert (login.created_at, login.last_used_at) == (NOW, NOW + timedelta(days=3))


def test_refreshing_needs_no_access_token_and_minds_no_stale_one(member: User, log_in: LogIn, clock: Any) -> None:
    device = log_in("john_doe")
    clock.shift(timedelta(hours=1))

    answer = device.api.post(REFRESH, {"refresh": device.refresh})

    assert answer.status_code == 200


def test_a_refresh_token_runs_out_after_fourteen_days(member: User, log_in: LogIn, clock: Any) -> None:
    device = log_in("john_doe")

    clock.shift(timedelta(days=14, seconds=-1))
    assert device.can_refresh()
    clock.shift(timedelta(seconds=1))

    assert_refused(Api().post(REFRESH, {"refresh": device.refresh}))


def test_no_access_token_outlives_its_login(member: User, log_in: LogIn, clock: Any) -> None:
    device = log_in("john_doe")
    clock.shift(timedelta(days=14, minutes=-1))

    late = Api().post(REFRESH, {"refresh": device.refresh}).json()["access"]

    assert claims_of(late)["exp"] == (NOW + timedelta(days=14)).timestamp()


def test_an_access_token_runs_out_after_ten_minutes(member: User, log_in: LogIn, clock: Any) -> None:
    device = log_in("john_doe")

    clock.shift(timedelta(minutes=10, seconds=-1))
    assert device.is_known()
    clock.shift(timedelta(seconds=1))

    assert_refused(device.api.get(ME))


# --- Logging out ------------------------------------------------------------------------------------------------


def test_logging_out_ends_that_login_at_once_and_no_other(member: User, log_in: LogIn, clock: Any) -> None:
    phone, laptop = log_in("john_doe"), log_in("john_doe")
    clock.shift(timedelta(minutes=1))

    answer = Api().post(LOGOUT, {"refresh": phone.refresh})

    assert answer.status_code == 200
    assert answer.json() == {"message": "You are logged out."}
    assert_refused(phone.api.get(ME))
    assert not phone.can_refresh()
    assert laptop.is_known()
    assert laptop.can_refresh()
    ended = Login.objects.get(pk=claims_of(phone.access)["login"])
    assert ended.ended_at == NOW + timedelta(minutes=1)


def test_access_tokens_got_by_refreshing_end_with_their_login(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")
    device.show(Api().post(REFRESH, {"refresh": device.refresh}).json()["access"])

    Api().post(LOGOUT, {"refresh": device.refresh})

    assert not device.is_known()


def test_logging_out_twice_is_fine_and_keeps_the_first_time(member: User, log_in: LogIn, clock: Any) -> None:
    device = log_in("john_doe")
    Api().post(LOGOUT, {"refresh": device.refresh})
    clock.shift(timedelta(hours=1))

    answer = Api().post(LOGOUT, {"refresh": device.refresh})

    assert answer.status_code == 200
    assert Login.objects.get().ended_at == NOW


@pytest.mark.parametrize("body", [None, {}, {"refresh": None}])
def test_logging_out_without_a_refresh_token_ends_the_login_of_the_access_token(
    member: User, log_in: LogIn, body: Any
) -> None:
    phone, laptop = log_in("john_doe"), log_in("john_doe")

    for _ in range(2):
        answer = phone.api.post(LOGOUT, body)

        assert (answer.status_code, answer.json()) == (200, {"message": "You are logged out."})
    assert_refused(phone.api.get(ME))
    assert not phone.can_refresh()
    assert laptop.is_known()
    assert laptop.can_refresh()


def test_the_refresh_token_counts_where_there_are_both(member: User, log_in: LogIn) -> None:
    phone, laptop = log_in("john_doe"), log_in("john_doe")

    assert phone.api.post(LOGOUT, {"refresh": laptop.refresh}).status_code == 200
    assert phone.is_known()
    assert not laptop.is_known()


@pytest.mark.parametrize("body", [None, {}, {"refresh": None}])
def test_logging_out_needs_a_token(member: User, log_in: LogIn, body: Any) -> None:
    device = log_in("john_doe")
    stranger, liar = Api(), Api()
    liar.headers["Authorization"] = f"Bearer {device.refresh}"

    answer = stranger.post(LOGOUT, body)

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "refresh: This field is required.",
        "fields": {"refresh": ["This field is required."]},
    }
    assert_refused(liar.post(LOGOUT, body))
    assert device.is_known()


def test_logging_out_takes_no_other_token_for_a_refresh_token(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")

    assert_refused(Api().post(LOGOUT, {"refresh": device.access}))
    assert_refused(device.api.post(LOGOUT, {"refresh": "nonsense"}))
    assert device.is_known()


def test_logging_out_everywhere_ends_every_login_of_the_member_at_once(
    member: User, jane: User, log_in: LogIn, clock: Any
) -> None:
    phone, laptop = log_in("john_doe"), log_in("john_doe")
    janes = Api(jane)

    answer = phone.api.post("/api/auth/logout/everywhere/")

    assert answer.status_code == 200
    assert answer.json() == {"message": "You are logged out on every device."}
    for device in (phone, laptop):
        assert_refused(device.api.get(ME))
        assert not device.can_refresh()
    assert [login.ended_at for login in member.logins.all()] == [NOW, NOW]
    assert janes.get(ME).status_code == 200
    fact = FactRecord.objects.get()
    assert (fact.name, fact.member_id, fact.actor_id) == ("accounts.LoggedOutEverywhere", member.pk, member.pk)


def test_one_logs_in_again_after_logging_out_everywhere(member: User, log_in: LogIn) -> None:
    log_in("john_doe").api.post("/api/auth/logout/everywhere/")

    assert log_in("john_doe").is_known()


def test_logging_out_everywhere_needs_an_access_token(stranger: Api) -> None:
    assert stranger.post("/api/auth/logout/everywhere/").status_code == 401


# --- Tokens that are none ---------------------------------------------------------------------------------------


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


# --- Clocks that differ -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", ["iat", "nbf"])
@pytest.mark.parametrize("ahead", [1, 10])
def test_a_token_of_a_clock_that_is_a_little_ahead_is_taken(
    member: User, log_in: LogIn, clock: Any, claim: str, ahead: int
) -> None:
    device = log_in("john_doe")
    early = {claim: int(NOW.timestamp()) + ahead}
    device.show(signed({**claims_of(device.access), **early}))
    refresh = signed({**claims_of(device.refresh), **early})

    assert device.is_known()
    assert Api().post(REFRESH, {"refresh": refresh}).status_code == 200
    assert Api().post(LOGOUT, {"refresh": refresh}).status_code == 200


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_token_of_a_clock_that_is_far_ahead_is_refused(member: User, log_in: LogIn, clock: Any, claim: str) -> None:
    device = log_in("john_doe")
    early = {claim: int(NOW.timestamp()) + 11}
    device.show(signed({**claims_of(device.access), **early}))
    refresh = signed({**claims_of(device.refresh), **early})

    assert_refused(device.api.get(ME))
    assert_refused(Api().post(REFRESH, {"refresh": refresh}))
    assert_refused(Api().post(LOGOUT, {"refresh": refresh}))


def test_times_of_a_token_may_be_fractions_of_a_second(member: User, log_in: LogIn, clock: Any) -> None:
    device = log_in("john_doe")
    now = NOW.timestamp()
    device.show(signed({**claims_of(device.access), "iat": now - 0.5, "nbf": now + 0.5, "exp": now + 60.5}))

    assert device.is_known()


@pytest.mark.parametrize("late", [0, 1, 9])
def test_no_token_lives_longer_for_clocks_that_differ(member: User, log_in: LogIn, clock: Any, late: int) -> None:
    device = log_in("john_doe")
    over = {"exp": int(NOW.timestamp()) - late}
    device.show(signed({**claims_of(device.access), **over}))

    assert_refused(device.api.get(ME))
    assert_refused(Api().post(REFRESH, {"refresh": signed({**claims_of(device.refresh), **over})}))


# --- Tokens of what is gone -------------------------------------------------------------------------------------


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
