"""The nudge: a day before the start, once, the creator is reminded of pending requests."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import facts, failing_to_save, nothing_changes, path, z
from tests.threads import run_concurrently, run_in_threads

from core.facts.models import FactRecord
from modules.sessions.models import Session
from modules.sessions.reminding import compute_nudge_at
from modules.sessions.services.life_cycle import advance_due_sessions
from modules.sessions.services.moderation import approve_session
from modules.sessions.services.reminders import nudge_creators

START = datetime(2024, 1, 20, 12, tzinfo=UTC)
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)


@pytest.fixture
def make_armed(make_session: Any) -> Any:
    """Makes an open session, by default with START as its start, with the nudge scheduled as by an approval."""

    def make(status: str = "approved", *, date: datetime = START, **values: Any) -> Session:
        session: Session = make_session(
            status, date=date, nudge_due_at=compute_nudge_at(date, now=START - 9 * DAY), **values
        )
        return session

    return make


@pytest.fixture
def at(clock: Any) -> Any:
    """`at(DAY)` moves the clock to a day before the start and runs the worker unless it is down; returns the facts."""

    def move(before: timedelta, *, start: datetime = START, worker: bool = True) -> list[int]:
        clock.move_to(start - before, tick=False)
        if worker:
            nudge_creators()
        return nudges()

    return move


def nudges() -> list[int]:
    """The number of undecided requests of each nudge."""
    records = FactRecord.objects.filter(name="sessions.RequestsUndecided").order_by("pk")
    return [record.payload["undecided"] for record in records]


def ask(session: Session, member: Any) -> None:
    assert Api(member).post(path(session, "join/")).status_code == 201


def test_the_creator_is_nudged_a_day_before_with_how_many_wait(
    *, john: Any, jane: Any, bob: Any, mallory: Any, make_armed: Any, at: Any
) -> None:
    session = make_armed(
        "scheduled", participants=[mallory], requests={jane: "pending", bob: "pending"}, max_participants=2
    )

    assert at(DAY + SECOND) == []
    assert at(DAY) == [2]
    record = FactRecord.objects.get()
    assert (record.session_id, record.actor, record.occurred_at) == (session.pk, None, START - DAY)
    assert record.payload == {
        "session_id": session.pk,
        "title": session.title,
        "creator_id": john.pk,
        "date": z(START),
        "undecided": 2,
    }


def test_never_twice_for_one_start(jane: Any, bob: Any, make_armed: Any, at: Any) -> None:
    session = make_armed(requests={jane: "pending"})
    at(DAY)
    ask(session, bob)

    assert at(DAY) == at(DAY - SECOND) == at(HOUR) == at(SECOND) == [1]


@pytest.mark.parametrize("decision", ["rejected", None])
def test_where_nothing_waits_nobody_is_nudged_then_or_later(
    jane: Any, bob: Any, make_armed: Any, at: Any, decision: str | None
) -> None:
    session = make_armed(requests={bob: decision} if decision else {})
    assert at(DAY) == []
    ask(session, jane)

    assert at(DAY - HOUR) == at(HOUR) == []


def test_what_was_decided_before_the_worker_looks_nudges_nobody(john: Any, jane: Any, make_armed: Any, at: Any) -> None:
    session = make_armed(requests={jane: "pending"})
    at(DAY, worker=False)
    Api(john).post(path(session, "approve_request/"), {"user_id": jane.pk})

    assert at(DAY) == at(HOUR) == []


def test_a_worker_that_was_down_nudges_while_the_start_is_ahead(jane: Any, make_armed: Any, at: Any) -> None:
    make_armed(requests={jane: "pending"})

    assert at(SECOND) == [1]


@pytest.mark.parametrize("late", [timedelta(0), SECOND, DAY])
def test_after_the_start_nobody_is_nudged(jane: Any, make_armed: Any, at: Any, late: timedelta) -> None:
    session = make_armed(requests={jane: "pending"})

    assert at(-late) == []
    advance_due_sessions()
    assert at(-late) == []
    session.refresh_from_db()
    assert session.nudge_due_at is None


def test_a_session_that_is_approved_arms_it(jane: Any, alice: Any, make_session: Any, at: Any) -> None:
    session = make_session("pending_approval", date=START)
    at(2 * DAY, worker=False)
    approve_session(session_id=session.pk, by=alice)
    ask(session, jane)

    assert at(DAY + SECOND) == []
    assert at(DAY) == [1]


@pytest.mark.parametrize("before", [DAY, DAY - SECOND, HOUR])
def test_one_that_is_approved_within_the_last_day_does_not(
    jane: Any, alice: Any, make_session: Any, at: Any, before: timedelta
) -> None:
    session = make_session("pending_approval", date=START)
    at(before, worker=False)
    approve_session(session_id=session.pk, by=alice)
    ask(session, jane)

    assert at(before) == at(SECOND) == []


@pytest.mark.parametrize("ending", ["cancel/", "start/"])
def test_a_session_that_is_not_open_sends_no_nudge(
    *, john: Any, jane: Any, bob: Any, make_armed: Any, at: Any, ending: str
) -> None:
    session = make_armed("scheduled", participants=[bob], requests={jane: "pending"})
    at(timedelta(minutes=10), worker=False)
    assert Api(john).post(path(session, ending)).status_code == 200

    assert at(timedelta(minutes=10)) == []


def test_a_cancelled_session_is_not_due_for_a_nudge(john: Any, jane: Any, make_armed: Any, at: Any) -> None:
    session = make_armed(requests={jane: "pending"})
    at(3 * DAY, worker=False)
    assert Api(john).post(path(session, "cancel/")).status_code == 200

    session.refresh_from_db()
    assert session.nudge_due_at is None


def test_a_new_start_reschedules_the_nudge(john: Any, jane: Any, make_armed: Any, at: Any) -> None:
    session = make_armed(requests={jane: "pending"})
    at(DAY)
    at(2 * HOUR, worker=False)
    new = START + timedelta(days=3)
    Api(john).put(path(session), {"date": z(new)})

    assert at(DAY + SECOND, start=new) == [1]
    assert at(DAY, start=new) == at(HOUR, start=new) == [1, 1]


def test_a_session_rescheduled_after_the_nudge_was_due_nudges_for_the_new_start(
    john: Any, jane: Any, make_armed: Any, at: Any
) -> None:
    session = make_armed(requests={jane: "pending"})
    at(DAY, worker=False)
    new = START + timedelta(days=3)
    Api(john).put(path(session), {"date": z(new)})

    assert at(DAY) == []
    assert at(DAY, start=new) == [1]


def test_a_session_rescheduled_to_within_a_day_sends_no_nudge(john: Any, jane: Any, make_armed: Any, at: Any) -> None:
    session = make_armed(date=START + timedelta(days=30), requests={jane: "pending"})
    at(20 * HOUR, worker=False)
    Api(john).put(path(session), {"date": z(START)})

    assert at(20 * HOUR) == at(SECOND) == []


def test_a_start_that_is_moved_back_nudges_once(john: Any, jane: Any, make_armed: Any, at: Any) -> None:
    session = make_armed(requests={jane: "pending"})
    at(DAY)
    for date in (START + timedelta(days=9), START):
        Api(john).put(path(session), {"date": z(date)})

    assert at(DAY) == at(HOUR) == [1]


def test_other_edits_do_not_schedule_a_nudge(john: Any, jane: Any, make_armed: Any, at: Any) -> None:
    session = make_armed(requests={jane: "pending"})
    at(DAY)
    Api(john).put(path(session), {"title": "New", "duration": 60, "date": z(START)})

    assert at(DAY - SECOND) == [1]


def test_scheduling_the_session_does_not_change_the_nudge(
    john: Any, jane: Any, bob: Any, make_armed: Any, at: Any
) -> None:
    session = make_armed(requests={jane: "pending", bob: "pending"})
    Api(john).post(path(session, "approve_request/"), {"user_id": jane.pk})

    assert at(DAY) == [1]


@pytest.mark.usefixtures("unlogged")
def test_a_session_that_fails_does_not_block_others(jane: Any, make_armed: Any, at: Any) -> None:
    broken, other = (make_armed(requests={jane: "pending"}) for _ in range(2))

    with failing_to_save(broken):
        at(DAY)
    assert (facts(broken), facts(other)) == ([], ["RequestsUndecided"])

    at(DAY - SECOND)
    assert (facts(broken), facts(other)) == (["RequestsUndecided"], ["RequestsUndecided"])


def test_nothing_happens_if_nothing_is_due(jane: Any, make_armed: Any, at: Any) -> None:
    make_armed(requests={jane: "pending"})
    at(DAY)

    with nothing_changes():
        assert nudge_creators() == 0


@pytest.mark.django_db(transaction=True)
def test_several_workers_nudge_once(jane: Any, make_armed: Any, at: Any) -> None:
    for _ in range(30):
        make_armed(requests={jane: "pending"})
    at(DAY, worker=False)

    assert sum(run_in_threads(4, nudge_creators)) == 30
    assert nudges() == [1] * 30


@pytest.mark.django_db(transaction=True)
def test_deciding_is_serialized_with_nudging(john: Any, jane: Any, make_armed: Any, at: Any) -> None:
    session = make_armed(requests={jane: "pending"})
    at(DAY, worker=False)
    run_concurrently(nudge_creators, lambda: Api(john).post(path(session, "reject_request/"), {"user_id": jane.pk}))
    nudge_creators()

    assert facts() in (["BookingRequestRejected"], ["RequestsUndecided", "BookingRequestRejected"])
