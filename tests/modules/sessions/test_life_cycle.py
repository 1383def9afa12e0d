"""Transitions that are due by time: applied by the worker, and by every service if the worker is late."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.conftest import Api
from tests.modules.sessions.conftest import (
    FINAL,
    NOW,
    STATES,
    error_of,
    facts,
    failing_to_save,
    last_fact,
    nothing_changes,
    path,
)
from tests.threads import run_concurrently, run_in_threads

from core.facts.models import FactRecord
from modules.sessions.models import Session
from modules.sessions.services.life_cycle import advance_due_sessions

SECOND = timedelta(seconds=1)


def status_of(session: Session) -> str:
    session.refresh_from_db()
    return str(session.status)


# --- The sweep --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "somebody_in", "becomes", "fact"),
    [
        ("pending_approval", False, "expired", "SessionExpired"),
        ("approved", False, "expired", "SessionExpired"),
        ("scheduled", False, "expired", "SessionExpired"),
        ("scheduled", True, "ongoing", "SessionStarted"),
    ],
)
def test_the_transitions_at_the_start(
    *, jane: Any, make_session: Any, clock: Any, state: str, somebody_in: bool, becomes: str, fact: str
) -> None:
    session = make_session(state, participants=[jane] if somebody_in else [])

    clock.move_to(session.date - SECOND, tick=False)
    with nothing_changes():
        assert advance_due_sessions() == 0

    clock.move_to(session.date, tick=False)
    assert advance_due_sessions() == 1
    assert status_of(session) == becomes
    assert session.updated_at == session.date
    assert session.reminder_due_at is None
    assert facts() == [fact]
    assert last_fact().changes == {"status": [state, becomes]}
    assert (last_fact().actor, last_fact().reason, last_fact().session_id) == (None, "", session.pk)


@pytest.mark.parametrize(
    ("state", "why"), [("pending_approval", "undecided"), ("approved", "nobody_in"), ("scheduled", "nobody_in")]
)
def test_an_expiry_has_its_cause(make_session: Any, clock: Any, state: str, why: str) -> None:
    session = make_session(state, participants=[])
    clock.move_to(session.date, tick=False)

    advance_due_sessions()

    assert last_fact().payload["why"] == why


def test_a_session_completes_at_start_plus_duration(make_session: Any, clock: Any) -> None:
    session = make_session("ongoing", date="2024-01-10T09:30:00Z", duration=45)

    clock.move_to("2024-01-10T10:14:59Z", tick=False)
    with nothing_changes():
        advance_due_sessions()
    clock.move_to("2024-01-10T10:15:00Z", tick=False)
    assert advance_due_sessions() == 1

    assert status_of(session) == "completed"
    assert facts() == ["SessionCompleted"]


def test_a_session_started_early_completes_at_its_end(john: Any, make_session: Any, clock: Any) -> None:
    session = make_session("scheduled", date="2024-01-10T10:10:00Z", duration=30)
    Api(john).post(path(session, "start/"))

    clock.move_to("2024-01-10T10:39:59Z", tick=False)
    assert advance_due_sessions() == 0
    clock.move_to("2024-01-10T10:40:00Z", tick=False)
    assert advance_due_sessions() == 1
    assert facts() == ["SessionStarted", "SessionCompleted"]


def test_the_periodic_job_is_idempotent(make_session: Any, clock: Any) -> None:
    for state in STATES:
        make_session(state)
    clock.shift(timedelta(days=5))
    advance_due_sessions()

    with nothing_changes():
        assert advance_due_sessions() == 0


@pytest.mark.parametrize("state", FINAL)
def test_final_sessions_do_not_change(make_session: Any, clock: Any, state: str) -> None:
    make_session(state)
    clock.shift(timedelta(days=5000))

    with nothing_changes():
        assert advance_due_sessions() == 0


def test_due_transitions_are_applied_in_order_after_a_downtime(jane: Any, make_session: Any, clock: Any) -> None:
    session = make_session("scheduled", participants=[jane])
    clock.shift(timedelta(days=365))

    advance_due_sessions()

    assert status_of(session) == "completed"
    assert facts() == ["SessionStarted", "SessionCompleted"]
    changes = FactRecord.objects.order_by("pk").values_list("changes", flat=True)
    assert list(changes) == [{"status": ["scheduled", "ongoing"]}, {"status": ["ongoing", "completed"]}]


def test_many_sessions_make_their_own_transitions(make_session: Any, clock: Any) -> None:
    sessions = {state: make_session(state) for state in STATES}
    later = make_session("approved", date=NOW + timedelta(days=30))
    clock.move_to(sessions["scheduled"].date, tick=False)

    assert advance_due_sessions() == 4

    assert {state: status_of(session) for state, session in sessions.items()} == {
        "pending_approval": "expired",
        "approved": "expired",
        "scheduled": "ongoing",
        "ongoing": "completed",
        "completed": "completed",
        "cancelled": "cancelled",
        "expired": "expired",
    }
    assert status_of(later) == "approved"


def test_a_session_that_fails_does_not_block_others_and_is_retried(
    make_session: Any, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    first, broken, last = (make_session("approved", date=NOW + timedelta(hours=hours)) for hours in (1, 2, 3))
    clock.shift(timedelta(days=1))

    with failing_to_save(broken):
        assert advance_due_sessions() == 2
    assert [status_of(session) for session in (first, broken, last)] == ["expired", "approved", "expired"]
    assert facts(broken) == []
    assert f"Session {broken.pk} could not be handled" in caplog.text

    assert advance_due_sessions() == 1
    assert status_of(broken) == "expired"


def test_a_row_changed_without_the_services_is_handled_once(make_session: Any, clock: Any) -> None:
    session = make_session("approved")
    Session.objects.filter(pk=session.pk).update(moves_at=NOW - SECOND)

    assert advance_due_sessions() == 1
    session.refresh_from_db()
    assert (session.status, session.moves_at) == ("approved", session.date)
    assert facts() == []
    with nothing_changes():
        assert advance_due_sessions() == 0


@pytest.mark.django_db(transaction=True)
def test_several_workers_handle_each_session_once(jane: Any, make_session: Any, clock: Any) -> None:
    sessions = [make_session("scheduled", participants=[jane]) for _ in range(30)]
    clock.move_to(sessions[0].date, tick=False)

    assert sum(run_in_threads(4, advance_due_sessions)) == 30
    assert facts() == ["SessionStarted"] * 30
    assert len(set(FactRecord.objects.values_list("session_id", flat=True))) == 30


@pytest.mark.django_db(transaction=True)
def test_cancelling_is_serialized_with_due_transitions(john: Any, jane: Any, make_session: Any, clock: Any) -> None:
    session = make_session("scheduled", participants=[jane])
    clock.move_to(session.date, tick=False)
    run_concurrently(advance_due_sessions, lambda: Api(john).post(path(session, "cancel/")).status_code)

    assert status_of(session) == "cancelled"
    assert facts() == ["SessionStarted", "SessionCancelled"]


def test_each_session_takes_a_constant_number_of_queries(jane: Any, make_session: Any, clock: Any) -> None:
    def queries(number: int) -> int:
        for _ in range(number):
            make_session("scheduled", participants=[jane], date=NOW)
        with CaptureQueriesContext(connection) as captured:
            assert advance_due_sessions() == number
        return len(captured)

    queries(1)
    few, some, many = queries(2), queries(3), queries(12)

    assert many - some == 9 * (some - few)


# --- When it moves next -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_moves_at_is_the_next_due_transition(make_session: Any, state: str) -> None:
    session = make_session(state)

    session.refresh_from_db()

    end = session.date + timedelta(minutes=session.duration)
    assert session.moves_at == (None if state in FINAL else end if state == "ongoing" else session.date)


def test_moves_at_follows_start_and_duration(john: Any, jane: Any, make_session: Any, clock: Any) -> None:
    session = make_session("scheduled", participants=[jane])
    Api(john).put(path(session), {"date": "2024-01-20T10:00:00Z", "duration": 30})
    session.refresh_from_db()
    assert session.moves_at == datetime(2024, 1, 20, 10, tzinfo=UTC)

    clock.move_to("2024-01-20T09:50:00Z", tick=False)
    Api(john).post(path(session, "start/"))
    session.refresh_from_db()
    assert session.moves_at == datetime(2024, 1, 20, 10, 30, tzinfo=UTC)

    Api(john).post(path(session, "end/"))
    session.refresh_from_db()
    assert session.moves_at is None


# --- Catching up, where the worker is late ----------------------------------------------------------------------


@pytest.fixture
def late(clock: Any) -> Any:
    """Moves the clock to after a session's start, or its end, without a worker."""

    def be(session: Session, *, after: str = "start") -> Session:
        moment = session.date if after == "start" else session.date + timedelta(minutes=session.duration)
        clock.move_to(moment + timedelta(minutes=1), tick=False)
        return session

    return be


def test_a_session_that_is_due_to_start_can_be_ended(john: Any, jane: Any, make_session: Any, late: Any) -> None:
    session = late(make_session("scheduled", participants=[jane]))

    assert Api(john).post(path(session, "end/")).json()["status"] == "completed"
    assert facts() == ["SessionStarted", "SessionCompleted"]
    assert list(FactRecord.objects.order_by("pk").values_list("actor", flat=True)) == [None, john.pk]


def test_a_session_that_is_due_to_start_is_cancelled_as_ongoing(
    john: Any, jane: Any, bob: Any, make_session: Any, late: Any
) -> None:
    session = late(make_session("scheduled", participants=[jane], requests={bob: "pending"}))

    assert Api(john).post(path(session, "cancel/")).json()["status"] == "cancelled"
    assert facts() == ["SessionStarted", "SessionCancelled"]
    assert last_fact().changes == {"status": ["ongoing", "cancelled"]}
    # Bob heard of it at the start.
    assert last_fact().payload["requester_ids"] == []


def test_a_session_that_is_due_to_start_is_edited_as_ongoing(
    john: Any, jane: Any, make_session: Any, late: Any
) -> None:
    session = late(make_session("scheduled", participants=[jane]))

    with nothing_changes():
        assert "ongoing" in error_of(Api(john).put(path(session), {"date": "2024-03-01T10:00:00Z"}), 400)
    assert Api(john).put(path(session), {"title": "New"}).json()["status"] == "ongoing"
    assert facts() == ["SessionStarted", "SessionEdited"]


@pytest.mark.parametrize(
    ("state", "body", "named"),
    [
        ("pending_approval", {"title": "New"}, "expired"),
        ("pending_approval", {"status": "approved"}, "expired"),
        ("approved", {"title": "New"}, "expired"),
        ("approved", {"date": "2024-03-01T10:00:00Z"}, "expired"),
        ("approved", {"status": "scheduled"}, "expired"),
        ("approved", {"status": "cancelled"}, "expired"),
    ],
)
def test_a_session_that_is_due_to_expire_is_final(
    *, alice: Any, make_session: Any, late: Any, state: str, body: Any, named: str
) -> None:
    session = late(make_session(state))

    with nothing_changes():
        assert named in error_of(Api(alice).put(path(session), body), 400)


def test_a_session_that_is_due_to_complete_is_completed(john: Any, jane: Any, make_session: Any, late: Any) -> None:
    session = late(make_session("scheduled", participants=[jane]), after="end")

    with nothing_changes():
        assert "completed" in error_of(Api(john).put(path(session), {"title": "New"}), 400)
        assert "completed" in error_of(Api(john).post(path(session, "cancel/")), 400)


def test_an_empty_edit_applies_due_transitions(john: Any, jane: Any, make_session: Any, late: Any) -> None:
    session = late(make_session("scheduled", participants=[jane]))

    assert Api(john).put(path(session), {}).json()["status"] == "ongoing"
    assert facts() == ["SessionStarted"]
    assert advance_due_sessions() == 0


def test_an_expired_session_can_be_deleted(john: Any, make_session: Any, late: Any) -> None:
    session = late(make_session("approved"))

    assert Api(john).delete(path(session)).status_code == 204
    assert facts() == ["SessionExpired", "SessionDeleted"]


def test_an_object_read_before_a_due_transition_can_be_sent_back(
    john: Any, jane: Any, make_session: Any, late: Any
) -> None:
    session = late(make_session("scheduled", participants=[jane]))
    read = Api(john).get(path(session)).json()
    assert read["status"] == "scheduled"

    answer = Api(john).put(path(session), {**read, "title": "Ever more advanced"})

    assert answer.status_code == 200
    assert (answer.json()["title"], answer.json()["status"]) == ("Ever more advanced", "ongoing")
