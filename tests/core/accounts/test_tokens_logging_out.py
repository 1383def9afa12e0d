"""Ending one login, or all of them."""

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import Api
from tests.core.accounts.conftest import LogIn
from tests.core.accounts.tokens import LOGOUT, ME, REFRESH, assert_refused, decode_claims
from tests.core.conftest import NOW

from core.accounts.models import Login, User
from core.facts.models import FactRecord


def test_logging_out_ends_only_that_login(member: User, log_in: LogIn, clock: Any) -> None:
    phone, laptop = log_in("john_doe"), log_in("john_doe")
    clock.shift(timedelta(minutes=1))

    answer = Api().post(LOGOUT, {"refresh": phone.refresh})

    assert answer.status_code == 200
    assert answer.json() == {"message": "You are logged out."}
    assert_refused(phone.api.get(ME))
    assert not phone.can_refresh()
    assert laptop.is_authenticated()
    assert laptop.can_refresh()
    ended = Login.objects.get(pk=decode_claims(phone.access)["login"])
    assert ended.ended_at == NOW + timedelta(minutes=1)


def test_refreshed_access_tokens_end_with_their_login(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")
    device.use_access_token(Api().post(REFRESH, {"refresh": device.refresh}).json()["access"])

    Api().post(LOGOUT, {"refresh": device.refresh})

    assert not device.is_authenticated()


def test_logging_out_twice_keeps_the_first_end(member: User, log_in: LogIn, clock: Any) -> None:
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
    assert laptop.is_authenticated()
    assert laptop.can_refresh()


def test_the_refresh_token_takes_precedence_over_the_access_token(member: User, log_in: LogIn) -> None:
    phone, laptop = log_in("john_doe"), log_in("john_doe")

    assert phone.api.post(LOGOUT, {"refresh": laptop.refresh}).status_code == 200
    assert phone.is_authenticated()
    assert not laptop.is_authenticated()


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
    assert device.is_authenticated()


def test_an_access_token_is_rejected_as_refresh_token_at_logout(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")

    assert_refused(Api().post(LOGOUT, {"refresh": device.access}))
    assert_refused(device.api.post(LOGOUT, {"refresh": "nonsense"}))
    assert device.is_authenticated()


def test_logging_out_everywhere_ends_all_logins_of_the_member(
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


def test_a_member_can_log_in_after_logging_out_everywhere(member: User, log_in: LogIn) -> None:
    log_in("john_doe").api.post("/api/auth/logout/everywhere/")

    assert log_in("john_doe").is_authenticated()


def test_logging_out_everywhere_needs_an_access_token(stranger: Api) -> None:
    assert stranger.post("/api/auth/logout/everywhere/").status_code == 401
