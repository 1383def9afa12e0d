"""Reminders with a late approval, late participants or a late worker."""

from datetime import timedelta
from typing import Any

import pytest
from tests.modules.sessions.reminders.conftest import DAY, HOUR, SECOND, START, let_in

from modules.sessions.services.life_cycle import advance_due_sessions
from modules.sessions.services.moderation import approve_session


def test_a_session_approved_within_a_day_has_the_reminder_of_an_hour(
    alice: Any, john: Any, make_session: Any, at: Any
) -> None:
    session = make_session("pending_approval", date=START)
    at(DAY - HOUR, worker=False)
    approve_session(session_id=session.pk, by=alice)

    assert at(DAY - HOUR) == []
    assert at(HOUR) == [{"before": 60, "left": 60, "persons": {john.pk}}]


def test_a_session_approved_within_the_hour_reminds_nobody(alice: Any, make_session: Any, at: Any) -> None:
    session = make_session("pending_approval", date=START)
    at(HOUR / 2, worker=False)
    approve_session(session_id=session.pk, by=alice)

    assert at(HOUR / 2) == at(SECOND) == []


def test_a_late_participant_gets_only_the_next_reminder(
    john: Any, jane: Any, bob: Any, make_session: Any, at: Any
) -> None:
    session = make_session("scheduled", participants=[jane], date=START)
    at(DAY)
    at(2 * HOUR, worker=False)
    let_in(john, session, bob)

    assert [each["persons"] for each in at(2 * HOUR)] == [{john.pk, jane.pk}]
    assert [each["persons"] for each in at(HOUR)] == [{john.pk, jane.pk}, {john.pk, jane.pk, bob.pk}]


def test_a_late_worker_does_not_make_up_for_missed_reminders(
    john: Any, jane: Any, bob: Any, make_session: Any, at: Any
) -> None:
    session = make_session("scheduled", participants=[jane], date=START)
    at(DAY - HOUR, worker=False)
    let_in(john, session, bob)

    assert at(DAY - 2 * HOUR) == [{"before": 1440, "left": 22 * 60, "persons": {john.pk, jane.pk}}]


def test_after_a_downtime_past_both_only_the_last_reminder_is_sent(jane: Any, make_session: Any, at: Any) -> None:
    make_session("scheduled", participants=[jane], date=START)

    assert [(each["before"], each["left"]) for each in at(HOUR / 2)] == [(60, 30)]
    assert len(at(SECOND)) == 1


def test_after_a_downtime_past_the_first_reminder_it_is_sent_late(
    john: Any, jane: Any, make_session: Any, at: Any
) -> None:
    make_session("scheduled", participants=[jane], date=START)
    everybody = {john.pk, jane.pk}

    late = {"before": 1440, "left": 20 * 60, "persons": everybody}
    assert at(20 * HOUR) == [late]
    assert at(20 * HOUR - SECOND) == at(HOUR + SECOND) == [late]
    assert at(HOUR) == [late, {"before": 60, "left": 60, "persons": everybody}]


def test_after_a_downtime_past_the_start_no_reminder_is_sent(jane: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", participants=[jane], date=START)

    assert at(-SECOND) == at(-DAY) == []
    session.refresh_from_db()
    assert session.reminder_due_at is None


def test_a_participant_who_joins_during_a_downtime_gets_the_second_reminder(
    john: Any, jane: Any, bob: Any, make_session: Any, at: Any
) -> None:
    session = make_session("scheduled", participants=[jane], date=START)
    at(12 * HOUR, worker=False)
    let_in(john, session, bob)

    assert at(HOUR / 2) == [{"before": 60, "left": 30, "persons": {john.pk, jane.pk, bob.pk}}]


def test_a_participant_approved_at_the_due_instant_is_reminded(
    john: Any, jane: Any, bob: Any, make_session: Any, at: Any
) -> None:
    session = make_session("scheduled", participants=[jane], date=START)
    at(DAY, worker=False)
    let_in(john, session, bob)

    assert [each["persons"] for each in at(DAY)] == [{john.pk, jane.pk, bob.pk}]


def test_minutes_left_are_rounded_up(make_session: Any, at: Any) -> None:
    make_session("scheduled", date=START)

    assert [each["left"] for each in at(timedelta(minutes=59, seconds=1))] == [60]


@pytest.mark.parametrize("late", [timedelta(0), SECOND, DAY])
def test_after_the_start_nobody_is_reminded(make_session: Any, at: Any, late: timedelta) -> None:
    session = make_session("scheduled", date=START)

    assert at(-late) == []
    advance_due_sessions()
    assert at(-late) == []
    session.refresh_from_db()
    assert session.reminder_due_at is None
