"""Tokens between servers whose clocks differ."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.core.accounts.conftest import LogIn
from tests.core.accounts.tokens import LOGOUT, ME, REFRESH, assert_refused, claims_of, signed
from tests.core.conftest import NOW

from core.accounts.models import User


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
