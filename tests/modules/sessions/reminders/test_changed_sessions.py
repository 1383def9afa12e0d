"""Reminders of sessions that are rescheduled, cancelled or left."""

from datetime import timedelta
from typing import Any

from tests.conftest import Api
from tests.modules.sessions.conftest import path, z
from tests.modules.sessions.reminders.conftest import DAY, HOUR, START, let_in, reminders

from modules.sessions.services.moderation import approve_session


def test_a_new_start_reschedules_both_reminders(john: Any, jane: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", participants=[jane], date=START)
    at(DAY)
    at(DAY - HOUR, worker=False)
    new = START + timedelta(days=3)
    Api(john).put(path(session), {"date": z(new)})

    assert len(at(HOUR)) == 1
    assert [each["before"] for each in at(DAY, start=new)] == [1440, 1440]
    assert [each["before"] for each in at(HOUR, start=new)] == [1440, 1440, 60]
    assert reminders()[1]["persons"] == {john.pk, jane.pk}


def test_a_start_moved_to_within_a_day_has_the_reminder_of_an_hour(john: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", date=START + timedelta(days=30))
    at(DAY - HOUR, worker=False)
    Api(john).put(path(session), {"date": z(START)})

    assert at(DAY - HOUR) == []
    assert [each["before"] for each in at(HOUR)] == [60]


def test_a_start_that_is_moved_back_does_not_repeat_reminders(john: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", date=START)
    at(DAY)
    for date in (START + timedelta(days=9), START):
        Api(john).put(path(session), {"date": z(date)})

    assert len(at(DAY)) == len(at(2 * HOUR)) == 1
    assert [each["before"] for each in at(HOUR)] == [1440, 60]


def test_members_who_were_reminded_of_this_start_are_skipped(john: Any, bob: Any, make_session: Any, at: Any) -> None:
    session = make_session("approved", date=START)
    at(DAY)
    Api(john).put(path(session), {"date": z(START + timedelta(days=9))})
    # The clock was wrong, and is set back.
    at(DAY + HOUR, worker=False)
    let_in(john, session, bob)
    Api(john).put(path(session), {"date": z(START)})

    assert [each["persons"] for each in at(DAY)] == [{john.pk}, {bob.pk}]


def test_other_edits_schedule_no_reminders(john: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", date=START)
    at(DAY)
    Api(john).put(path(session), {"title": "New", "duration": 60, "date": z(START)})

    assert len(at(DAY - HOUR)) == 1


def test_rescheduling_before_the_approval_schedules_no_reminders(
    john: Any, alice: Any, make_session: Any, at: Any
) -> None:
    session = make_session("pending_approval", date=START + timedelta(days=5))
    Api(john).put(path(session), {"date": z(START)})
    assert at(DAY) == []

    approve_session(session_id=session.pk, by=alice)
    assert [each["before"] for each in at(HOUR)] == [60]


def test_a_cancelled_session_reminds_nobody(john: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", date=START)
    Api(john).post(path(session, "cancel/"))

    assert at(DAY) == at(HOUR) == []


def test_a_session_cancelled_after_a_reminder_was_due_reminds_nobody(john: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", date=START)
    at(DAY, worker=False)
    Api(john).post(path(session, "cancel/"))

    assert at(DAY) == at(HOUR) == []


def test_a_session_rescheduled_after_a_reminder_was_due_reminds_of_the_new_start(
    john: Any, make_session: Any, at: Any
) -> None:
    session = make_session("scheduled", date=START)
    at(DAY, worker=False)
    new = START + timedelta(days=3)
    Api(john).put(path(session), {"date": z(new)})

    assert at(DAY) == []
    assert [each["before"] for each in at(DAY, start=new)] == [1440]


def test_a_session_started_early_reminds_nobody(john: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", date=START)
    at(timedelta(minutes=10), worker=False)
    Api(john).post(path(session, "start/"))

    assert at(timedelta(minutes=10)) == []


def test_former_participants_are_not_reminded(john: Any, jane: Any, bob: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", participants=[jane, bob], date=START)
    Api(jane).post(path(session, "leave/"))
    Api(john).delete(path(session, f"participants/{bob.pk}/"))

    assert [each["persons"] for each in at(DAY)] == [{john.pk}]


def test_a_participant_who_leaves_and_returns_is_not_reminded_twice(
    john: Any, jane: Any, make_session: Any, at: Any
) -> None:
    session = make_session("scheduled", participants=[jane], date=START)
    at(DAY)
    Api(jane).post(path(session, "leave/"))
    let_in(john, session, jane)

    assert len(at(DAY)) == 1
