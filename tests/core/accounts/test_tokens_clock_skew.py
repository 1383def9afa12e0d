"""Tokens issued by servers whose clocks differ."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.core.accounts.conftest import LogIn
from tests.core.accounts.tokens import LOGOUT, ME, REFRESH, assert_refused, decode_claims, sign_token
from tests.core.conftest import NOW

from core.accounts.models import User


@pytest.mark.parametrize("claim", ["iat", "nbf"])
@pytest.mark.parametrize("ahead", [1, 10])
def test_a_token_from_a_clock_slightly_ahead_is_accepted(
    member: User, log_in: LogIn, clock: Any, claim: str, ahead: int
) -> None:
    device = log_in("john_doe")
    early = {claim: int(NOW.timestamp()) + ahead}
    device.use_access_token(sign_token({**decode_claims(device.access), **early}))
    refresh = sign_token({**decode_claims(device.refresh), **early})

    assert device.is_authenticated()
    assert Api().post(REFRESH, {"refresh": refresh}).status_code == 200
    assert Api().post(LOGOUT, {"refresh": refresh}).status_code == 200


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_token_from_a_clock_far_ahead_is_rejected(member: User, log_in: LogIn, clock: Any, claim: str) -> None:
    device = log_in("john_doe")
    early = {claim: int(NOW.timestamp()) + 11}
    device.use_access_token(sign_token({**decode_claims(device.access), **early}))
    refresh = sign_token({**decode_claims(device.refresh), **early})

    assert_refused(device.api.get(ME))
    assert_refused(Api().post(REFRESH, {"refresh": refresh}))
    assert_refused(Api().post(LOGOUT, {"refresh": refresh}))


def test_timestamps_of_a_token_may_be_fractional(member: User, log_in: LogIn, clock: Any) -> None:
    device = log_in("john_doe")
    now = NOW.timestamp()
    device.use_access_token(
        sign_token({**decode_claims(device.access), "iat": now - 0.5, "nbf": now + 0.5, "exp": now + 60.5})
    )

    assert device.is_authenticated()


@pytest.mark.parametrize("late", [0, 1, 9])
def test_the_leeway_does_not_extend_the_lifetime(member: User, log_in: LogIn, clock: Any, late: int) -> None:
    device = log_in("john_doe")
    over = {"exp": int(NOW.timestamp()) - late}
    device.use_access_token(sign_token({**decode_claims(device.access), **over}))

    assert_refused(device.api.get(ME))
    assert_refused(Api().post(REFRESH, {"refresh": sign_token({**decode_claims(device.refresh), **over})}))
