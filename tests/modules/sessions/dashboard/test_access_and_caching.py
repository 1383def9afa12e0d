"""Who sees the statistics, and how old they can be."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from model_bakery import baker
from pytest_django import Settings
from tests.modules.sessions.conftest import NOW, MakeSession
from tests.modules.sessions.dashboard.conftest import (
    FIRST_WEEK,
    THIS_WEEK,
    WEEK,
    areas_of,
    card_of,
    in_weeks,
    outcomes_of,
)
from tests.modules.sessions.portal import decide
from tests.portal import log_in

from core.accounts.models import User
from modules.sessions.receivers.dashboard import CACHE_KEY


def test_who_may_not_see_sessions_sees_none_of_their_numbers(
    moderator: Client, make_session: MakeSession, make_member: Callable[..., User]
) -> None:
    make_session("completed", date=THIS_WEEK, subject="Chess")
    assert "weeks" in areas_of(moderator)

    answer = log_in(make_member(is_staff=True)).get("/admin/")

    assert answer.context["areas"] == []
    assert "Chess" not in answer.content.decode()


def test_statistics_are_kept_for_a_minute_and_say_of_when_they_are(
    moderator: Client, make_session: MakeSession, clock: Any
) -> None:
    make_session("completed", date=THIS_WEEK)
    assert outcomes_of(moderator) == {"held": in_weeks(last=1)}
    make_session("completed", date=THIS_WEEK)

    clock.shift(timedelta(seconds=59))
    kept = areas_of(moderator)["weeks"].as_of
    assert (outcomes_of(moderator), kept) == ({"held": in_weeks(last=1)}, NOW)
    clock.shift(timedelta(seconds=2))
    fresh = areas_of(moderator)["weeks"].as_of

    assert (outcomes_of(moderator), fresh) == ({"held": in_weeks(last=2)}, NOW + timedelta(seconds=61))


def test_what_is_kept_is_everybody_s_who_may_see_it(moderator: Client, root: User, make_session: MakeSession) -> None:
    assert outcomes_of(moderator) == {}
    make_session("completed", date=THIS_WEEK)

    assert outcomes_of(log_in(root)) == {}


def test_what_waits_is_never_old(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    assert card_of(moderator, "waiting").value == "1"

    decide(moderator, "approve", session)

    assert card_of(moderator, "waiting").value == "0"


def test_what_was_kept_by_a_clock_that_was_wrong_is_reckoned_anew(
    moderator: Client, make_session: MakeSession, clock: Any
) -> None:
    clock.shift(timedelta(seconds=30))
    areas_of(moderator)
    make_session("completed", date=THIS_WEEK)

    clock.move_to(NOW, tick=False)

    assert outcomes_of(moderator) == {"held": in_weeks(last=1)}


@pytest.mark.usefixtures("unlogged")
def test_without_its_cache_the_page_is_there_all_the_same(
    moderator: Client, make_session: MakeSession, settings: Settings
) -> None:
    redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": redis}
    make_session("completed", date=THIS_WEEK)

    assert outcomes_of(moderator) == {"held": in_weeks(last=1)}


def test_what_is_not_ours_in_the_cache_is_not_shown(moderator: Client) -> None:
    areas_of(moderator)
    cache.set(CACHE_KEY, "rubbish")

    assert areas_of(moderator)["weeks"].as_of == NOW


def test_the_page_takes_as_many_queries_for_many_sessions_as_for_none(
    moderator: Client, make_session: MakeSession
) -> None:
    def queries() -> int:
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            assert moderator.get("/admin/").status_code == 200
        return len(captured)

    queries()
    for number in range(3):
        make_session("pending_approval")
        make_session("completed", date=FIRST_WEEK + number * WEEK, decided_at=NOW)
    few = queries()
    for number in range(12):
        for status in ("pending_approval", "approved", "cancelled", "expired"):
            make_session(status, creator=baker.make(User, username=f"{status}_{number}"))
        make_session("completed", date=FIRST_WEEK + number * WEEK, decided_at=NOW, subject=f"Subject {number}")

    assert queries() == few
