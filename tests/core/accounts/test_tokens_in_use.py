"""The claims of tokens, the queries that they cost, and refreshing."""

from datetime import timedelta
from typing import Any

from django.test.utils import CaptureQueriesContext
from tests.conftest import Api
from tests.core.accounts.conftest import LogIn
from tests.core.accounts.tokens import LOGOUT, ME, REFRESH, assert_refused, decode_claims
from tests.core.conftest import NOW

from core.accounts.models import Login, User


def test_tokens_carry_login_and_version(member: User, log_in: LogIn, clock: Any) -> None:
    device = log_in("john_doe")

    access, refresh = decode_claims(device.access), decode_claims(device.refresh)
    expected = {"user_id": member.pk, "login": Login.objects.get().pk, "version": member.token_version}
    assert expected.items() <= access.items()
    assert expected.items() <= refresh.items()
    assert (access["token_type"], refresh["token_type"]) == ("access", "refresh")
    assert access["exp"] == (NOW + timedelta(minutes=10)).timestamp()
    assert refresh["exp"] == (NOW + timedelta(days=14)).timestamp()


def test_tokens_contain_no_personal_data(member: User, log_in: LogIn) -> None:
    known = {"user_id", "login", "version", "token_type", "exp", "iat", "jti"}

    device = log_in("john_doe")

    assert set(decode_claims(device.access)) == known
    assert set(decode_claims(device.refresh)) == known


def test_one_query_authenticates_a_request(member: User, log_in: LogIn, django_assert_num_queries: Any) -> None:
    api = log_in("john_doe").api

    with django_assert_num_queries(1):
        assert api.get(ME).status_code == 200


def test_one_query_rejects_a_request(member: User, log_in: LogIn, django_assert_num_queries: Any) -> None:
    device = log_in("john_doe")
    Api().post(LOGOUT, {"refresh": device.refresh})

    with django_assert_num_queries(1):
        assert_refused(device.api.get(ME))


def test_refreshing_takes_one_query_and_one_update(member: User, log_in: LogIn, django_assert_num_queries: Any) -> None:
    device = log_in("john_doe")

    with django_assert_num_queries(2) as captured:
        assert device.can_refresh()

    assert count_reads(captured) == 1


def count_reads(captured: CaptureQueriesContext) -> int:
    return sum(query["sql"].startswith("SELECT") for query in captured.captured_queries)


def test_a_forged_token_costs_no_query(stranger: Api, django_assert_num_queries: Any) -> None:
    stranger.headers["Authorization"] = "Bearer nonsense"

    with django_assert_num_queries(0):
        assert_refused(stranger.get(ME))


def test_refreshing_returns_only_a_valid_access_token(member: User, log_in: LogIn, clock: Any) -> None:
    device = log_in("john_doe")
    clock.shift(timedelta(minutes=11))
    assert not device.is_authenticated()

    answer = Api().post(REFRESH, {"refresh": device.refresh})

    assert answer.status_code == 200
    assert list(answer.json()) == ["access"]
    device.use_access_token(answer.json()["access"])
    assert device.is_authenticated()


def test_refreshing_never_invalidates_the_refresh_token(member: User, log_in: LogIn, clock: Any) -> None:
    device = log_in("john_doe")

    for _ in range(5):
        clock.shift(timedelta(days=2))
        assert device.can_refresh()


def test_refreshing_keeps_older_access_tokens_valid(member: User, log_in: LogIn) -> None:
    device = log_in("john_doe")

    device.can_refresh()

    assert device.is_authenticated()


def test_refreshing_records_when_the_login_was_last_used(member: User, log_in: LogIn, clock: Any) -> None:
    device = log_in("john_doe")
    clock.shift(timedelta(days=3))

    device.can_refresh()

    login = Login.objects.get()
    assert (login.created_at, login.last_used_at) == (NOW, NOW + timedelta(days=3))


def test_refreshing_ignores_the_access_token(member: User, log_in: LogIn, clock: Any) -> None:
    device = log_in("john_doe")
    clock.shift(timedelta(hours=1))

    answer = device.api.post(REFRESH, {"refresh": device.refresh})

    assert answer.status_code == 200


def test_a_refresh_token_expires_after_fourteen_days(member: User, log_in: LogIn, clock: Any) -> None:
    device = log_in("john_doe")

    clock.shift(timedelta(days=14, seconds=-1))
    assert device.can_refresh()
    clock.shift(timedelta(seconds=1))

    assert_refused(Api().post(REFRESH, {"refresh": device.refresh}))


def test_no_access_token_outlives_its_login(member: User, log_in: LogIn, clock: Any) -> None:
    device = log_in("john_doe")
    clock.shift(timedelta(days=14, minutes=-1))

    late = Api().post(REFRESH, {"refresh": device.refresh}).json()["access"]

    assert decode_claims(late)["exp"] == (NOW + timedelta(days=14)).timestamp()


def test_an_access_token_expires_after_ten_minutes(member: User, log_in: LogIn, clock: Any) -> None:
    device = log_in("john_doe")

    clock.shift(timedelta(minutes=10, seconds=-1))
    assert device.is_authenticated()
    clock.shift(timedelta(seconds=1))

    assert_refused(device.api.get(ME))
