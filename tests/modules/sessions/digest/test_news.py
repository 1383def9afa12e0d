"""When there is news for a digest, which is sent at most once an hour."""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.conftest import Api
from tests.modules.sessions.conftest import NOW, SESSIONS, body_of, facts, nothing_changes, path, z
from tests.modules.sessions.digest.conftest import DAY, HOUR, MINUTE, SECOND, Told, digests
from tests.threads import run_in_threads

from core.accounts.models import User
from core.time import clock as clock_module
from modules.sessions.services.digest import publish_digest
from modules.sessions.services.moderation import approve_session


@pytest.fixture
def ticking() -> Iterator[None]:
    """A clock that advances by a second with each reading."""
    looks = itertools.count()
    clock_module.set_source(lambda: NOW + next(looks) * SECOND)
    yield
    clock_module.set_source(None)


def offer(member: User, title: str) -> int:
    answer = Api(member).post(SESSIONS, body_of(title=title, date="2024-03-01T10:00:00Z"))
    assert answer.status_code == 201
    return int(answer.json()["id"])


def test_without_moderators_the_interval_is_not_claimed(clock: Any, waits: Any, make_member: Any, bob: Any) -> None:
    waits("Knots")
    with nothing_changes():
        assert publish_digest() == 0

    bob.user_permissions.add(Permission.objects.get(codename="moderate_session"))
    clock.shift(MINUTE)

    assert publish_digest() == 1


def test_sessions_offered_since_are_news_after_an_hour(jane: Any, waits: Any, told: Told) -> None:
    waits("Old")
    told(timedelta(0))
    assert told(MINUTE) == []
    offer(jane, "New")

    assert told(2 * MINUTE) == told(HOUR - SECOND) == []
    assert told(HOUR) == ["Old", "New"]
    assert told(2 * HOUR) == []


def test_after_a_quiet_time_a_new_session_is_news_at_once(jane: Any, told: Told) -> None:
    assert told(timedelta(0)) == []
    offer(jane, "New")

    assert told(MINUTE) == ["New"]
    assert told(2 * MINUTE) == told(HOUR) == []


def test_without_news_the_digest_is_repeated_after_a_day(waits: Any, told: Told) -> None:
    waits("Old")
    told(timedelta(0))

    assert told(HOUR) == told(DAY - SECOND) == []
    assert told(DAY) == ["Old"]
    assert told(DAY + HOUR) == told(2 * DAY - SECOND) == []
    assert told(2 * DAY) == ["Old"]


def test_a_session_that_has_become_urgent_is_news(waits: Any, told: Told) -> None:
    waits("Soon", begins=2 * DAY + 5 * HOUR)
    told(timedelta(0))

    assert told(5 * HOUR - SECOND) == []
    assert told(5 * HOUR) == ["Soon"]
    assert told(6 * HOUR) == []


def test_a_session_that_was_already_urgent_is_no_news(waits: Any, told: Told) -> None:
    waits("Soon", begins=DAY)
    told(timedelta(0))

    assert told(HOUR) == told(5 * HOUR) == []


def test_a_session_rescheduled_to_an_urgent_start_is_news(john: Any, waits: Any, told: Told) -> None:
    session = waits("Moved")
    told(timedelta(0))
    assert told(HOUR) == []
    for begins in (20 * DAY, 2 * DAY):
        assert Api(john).put(path(session), {"date": z(NOW + begins)}).status_code == 200

    assert told(HOUR + MINUTE) == ["Moved"]
    assert told(3 * HOUR) == []


@pytest.mark.parametrize(
    "moves",
    [
        # Urgent before and after, far off before and after, and not for long.
        [40 * HOUR],
        [30 * DAY],
        [30 * DAY, DAY],
    ],
)
def test_any_other_rescheduling_is_no_news(john: Any, waits: Any, told: Told, moves: list[timedelta]) -> None:
    session = waits("Moved", begins=DAY)
    told(timedelta(0))
    for begins in moves:
        assert Api(john).put(path(session), {"date": z(NOW + begins)}).status_code == 200

    assert told(2 * HOUR) == []


def test_other_edits_of_an_urgent_session_are_no_news(john: Any, waits: Any, told: Told) -> None:
    session = waits("Soon", begins=DAY)
    told(timedelta(0))
    told(HOUR)
    Api(john).put(path(session), {"title": "Sooner", "duration": 60})

    assert told(2 * HOUR) == []


def test_sessions_decided_within_the_hour_are_no_news(*, alice: Any, jane: Any, waits: Any, told: Told) -> None:
    waits("Old")
    told(timedelta(0))
    told(MINUTE)
    approve_session(session_id=offer(jane, "New"), by=alice)

    assert told(HOUR) == []


def test_a_session_is_named_only_after_the_commit_tolerance(jane: Any, told: Told) -> None:
    """Otherwise a session committed after the digest, with an earlier time, would never be news."""
    told(timedelta(0))
    offer(jane, "New")

    assert told(9 * SECOND) == []
    assert told(10 * SECOND) == ["New"]


def test_a_session_offered_during_a_digest_is_news_the_next_time(john: Any, jane: Any, waits: Any, told: Told) -> None:
    waits("Old", begins=DAY)
    offer(jane, "New")

    assert told(5 * SECOND) == ["Old"]
    assert told(MINUTE) == []
    assert told(HOUR + 5 * SECOND) == ["Old", "New"]
    assert told(2 * HOUR + MINUTE) == []


@pytest.mark.parametrize(
    "news",
    [
        {"created_at": NOW - 9.5 * SECOND},
        {"begins": 2 * DAY + SECOND / 2},
    ],
)
def test_no_session_is_missed_between_two_digests(
    *, waits: Any, told: Told, ticking: None, news: dict[str, Any]
) -> None:
    waits("Old", begins=DAY)
    waits("New", **news)

    publish_digest()
    clock_module.set_source(None)

    assert digests().count() == 1
    assert told(HOUR + MINUTE) == ["Old", "New"]
    assert told(2 * HOUR + MINUTE) == []


def test_a_rescheduling_committed_during_a_digest_is_news_the_next_time(
    john: Any, waits: Any, told: Told, clock: Any
) -> None:
    session = waits("Moved")
    assert told(MINUTE) == ["Moved"]
    clock.move_to(NOW + MINUTE - 9 * SECOND, tick=False)
    assert Api(john).put(path(session), {"date": z(NOW + 2 * DAY)}).status_code == 200

    assert told(HOUR + MINUTE) == ["Moved"]
    assert told(2 * HOUR + MINUTE) == []


def test_a_rescheduling_is_news_once_even_right_before_a_digest(john: Any, waits: Any, told: Told) -> None:
    session = waits("Moved")
    told(timedelta(0))
    assert told(HOUR) == []
    assert Api(john).put(path(session), {"date": z(NOW + 2 * DAY)}).status_code == 200

    assert told(HOUR + 9 * SECOND) == []
    assert told(HOUR + 10 * SECOND) == ["Moved"]
    assert told(3 * HOUR) == []


@pytest.mark.parametrize("back", [2 * HOUR, 40 * DAY])
def test_a_clock_that_is_set_back_does_not_suppress_digests(waits: Any, told: Told, back: timedelta) -> None:
    waits("Old", created_at=NOW - 100 * DAY)
    told(timedelta(0))

    assert told(-back) == ["Old"]
    assert told(-back + HOUR) == []


def test_a_failed_digest_does_not_claim_the_interval(waits: Any, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    waits("Old")

    def fail(*_: Any, **__: Any) -> None:
        raise ValueError("no ink")

    with monkeypatch.context() as patch:
        patch.setattr("modules.sessions.services.digest.publish", fail)
        with pytest.raises(ValueError, match="no ink"):
            told(timedelta(0))

    assert told(MINUTE) == ["Old"]


@pytest.mark.django_db(transaction=True)
def test_several_workers_publish_one_digest_an_hour(alice: Any, waits: Any, clock: Any) -> None:
    waits("Old")

    for hour in range(3):
        clock.move_to(NOW + hour * DAY, tick=False)
        assert sorted(run_in_threads(8, publish_digest)) == [0] * 7 + [1]
    assert facts() == ["SessionsWaiting"] * 3


def test_the_number_of_queries_is_constant(alice: Any, waits: Any, clock: Any) -> None:
    def queries(number: int) -> int:
        for each in range(number):
            waits(f"{each}")
        clock.shift(DAY)
        with CaptureQueriesContext(connection) as captured:
            assert publish_digest()
        return len(captured)

    queries(1)
    assert queries(1) == queries(30)
