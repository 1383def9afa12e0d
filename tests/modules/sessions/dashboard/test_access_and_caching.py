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


def test_staff_without_permission_see_no_statistics(
    moderator: Client, make_session: MakeSession, make_member: Callable[..., User]
) -> None:
    make_session("completed", date=THIS_WEEK, subject="Chess")
    assert "weeks" in areas_of(moderator)

    answer = log_in(make_member(is_staff=True)).get("/admin/")

    assert answer.context["areas"] == []
    assert "Chess" not in answer.content.decode()


def test_statistics_are_cached_for_a_minute_and_show_their_time(
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


def test_the_cache_is_shared_by_everybody_with_permission(
    moderator: Client, root: User, make_session: MakeSession
) -> None:
    assert outcomes_of(moderator) == {}
    make_session("completed", date=THIS_WEEK)

    assert outcomes_of(log_in(root)) == {}


def test_the_backlog_is_not_cached(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    assert card_of(moderator, "waiting").value == "1"

    decide(moderator, "approve", session)

    assert card_of(moderator, "waiting").value == "0"


def test_values_cached_in_the_future_are_recomputed(moderator: Client, make_session: MakeSession, clock: Any) -> None:
    clock.shift(timedelta(seconds=30))
    areas_of(moderator)
    make_session("completed", date=THIS_WEEK)

    clock.move_to(NOW, tick=False)

    assert outcomes_of(moderator) == {"held": in_weeks(last=1)}


@pytest.mark.usefixtures("unlogged")
def test_the_page_works_without_a_cache(moderator: Client, make_session: MakeSession, settings: Settings) -> None:
    redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": redis}
    make_session("completed", date=THIS_WEEK)

    assert outcomes_of(moderator) == {"held": in_weeks(last=1)}


def test_foreign_values_in_the_cache_are_ignored(moderator: Client) -> None:
    areas_of(moderator)
    cache.set(CACHE_KEY, "rubbish")

    assert areas_of(moderator)["weeks"].as_of == NOW


def test_the_number_of_queries_is_constant(moderator: Client, make_session: MakeSession) -> None:
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
