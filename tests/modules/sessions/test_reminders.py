"""Reminders: once per offset and start, to the creator and to those who were in when it fell due."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.conftest import Api
from tests.core.threads import at_once, together
from tests.modules.sessions.conftest import facts, failing_to_save, nothing_changes, path, z

from core.facts.models import FactRecord
from modules.sessions import tasks
from modules.sessions.models import Reminder, Session
from modules.sessions.services.life_cycle import advance_due_sessions
from modules.sessions.services.moderation import approve_session, hide_session
from modules.sessions.services.reminders import remind_due_sessions, reschedule_reminders

START = datetime(2024, 1, 20, 12, tzinfo=UTC)
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)


@pytest.fixture
def at(clock: Any) -> Any:
    """`at(DAY)` is a day before the start; `worker=True` lets the worker look at it."""

    def move(before: timedelta, *, start: datetime = START, worker: bool = True) -> list[dict[str, Any]]:
        clock.move_to(start - before, tick=False)
        if worker:
            remind_due_sessions()
        return reminders()

    return move


def reminders() -> list[dict[str, Any]]:
    """What was published, as `{minutes_before, minutes_left, persons}`."""
    records = FactRecord.objects.filter(name="sessions.ReminderDue").order_by("pk")
    return [
        {
            "before": record.payload["minutes_before"],
            "left": record.payload["minutes_left"],
            "persons": set(record.payload["person_ids"]),
        }
        for record in records
    ]


def let_in(creator: Any, session: Session, member: Any) -> None:
    assert Api(member).post(path(session, "join/")).status_code == 201
    assert Api(creator).post(path(session, "approve_request/"), {"user_id": member.pk}).status_code == 200


# --- When, and whom ---------------------------------------------------------------------------------------------


def test_everybody_in_it_and_the_creator_are_reminded_a_day_and_an_hour_before(
    john: Any, jane: Any, bob: Any, make_session: Any, at: Any
) -> None:
    make_session("scheduled", participants=[jane, bob], date=START)
    everybody = {john.pk, jane.pk, bob.pk}
    first = {"before": 1440, "left": 1440, "persons": everybody}
    second = {"before": 60, "left": 60, "persons": everybody}

    assert at(DAY + SECOND) == []
    assert at(DAY) == [first]
    assert at(HOUR + SECOND) == [first]
    assert at(HOUR) == [first, second]
    assert at(SECOND) == [first, second]


def test_a_reminder_is_recorded_as_nobody_s_deed(john: Any, jane: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", participants=[jane], date=START)

    at(DAY)

    record = FactRecord.objects.get()
    assert (record.name, record.session_id, record.actor) == ("sessions.ReminderDue", session.pk, None)
    assert record.payload == {
        "session_id": session.pk,
        "title": session.title,
        "creator_id": john.pk,
        "date": z(START),
        "minutes_before": 1440,
        "minutes_left": 1440,
        "person_ids": [john.pk, jane.pk],
    }


def test_never_twice_however_often_the_worker_looks(make_session: Any, at: Any) -> None:
    make_session("scheduled", date=START)
    at(DAY)

    for before in (DAY, DAY - SECOND, 2 * HOUR):
        with nothing_changes():
            at(before)


def test_the_creator_is_reminded_where_nobody_is_in(john: Any, make_session: Any, at: Any) -> None:
    make_session("approved", date=START)

    assert at(DAY) == [{"before": 1440, "left": 1440, "persons": {john.pk}}]


def test_who_only_asked_is_not_reminded(john: Any, jane: Any, bob: Any, make_session: Any, at: Any) -> None:
    make_session("approved", requests={jane: "pending", bob: "rejected"}, date=START)

    assert [each["persons"] for each in at(DAY)] == [{john.pk}]


@pytest.mark.parametrize("state", ["pending_approval", "ongoing", "completed", "cancelled", "expired"])
def test_only_open_sessions_remind(jane: Any, make_session: Any, at: Any, state: str) -> None:
    in_it = [] if state in {"pending_approval", "expired"} else [jane]
    make_session(state, participants=in_it, date=START)

    with nothing_changes():
        assert at(DAY) == at(HOUR) == at(SECOND) == []


def test_a_hidden_session_still_reminds_its_people(alice: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", date=START)
    hide_session(session_id=session.pk, by=alice, reason="Reported")

    assert len(at(DAY)) == 1


# --- Late -------------------------------------------------------------------------------------------------------


def test_a_session_approved_within_the_day_reminds_an_hour_before(
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


def test_who_joins_inside_the_window_gets_the_next_one_only(
    john: Any, jane: Any, bob: Any, make_session: Any, at: Any
) -> None:
    session = make_session("scheduled", participants=[jane], date=START)
    at(DAY)
    at(2 * HOUR, worker=False)
    let_in(john, session, bob)

    assert [each["persons"] for each in at(2 * HOUR)] == [{john.pk, jane.pk}]
    assert [each["persons"] for each in at(HOUR)] == [{john.pk, jane.pk}, {john.pk, jane.pk, bob.pk}]


def test_nor_does_a_late_worker_make_up_for_it(john: Any, jane: Any, bob: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", participants=[jane], date=START)
    at(DAY - HOUR, worker=False)
    let_in(john, session, bob)

    assert at(DAY - 2 * HOUR) == [{"before": 1440, "left": 22 * 60, "persons": {john.pk, jane.pk}}]


def test_a_worker_that_was_down_past_both_sends_the_last_one_alone(jane: Any, make_session: Any, at: Any) -> None:
    make_session("scheduled", participants=[jane], date=START)

    assert [(each["before"], each["left"]) for each in at(HOUR / 2)] == [(60, 30)]
    assert len(at(SECOND)) == 1


def test_a_worker_that_was_down_over_the_first_sends_it_late(john: Any, jane: Any, make_session: Any, at: Any) -> None:
    make_session("scheduled", participants=[jane], date=START)
    everybody = {john.pk, jane.pk}

    late = {"before": 1440, "left": 20 * 60, "persons": everybody}
    assert at(20 * HOUR) == [late]
    assert at(20 * HOUR - SECOND) == at(HOUR + SECOND) == [late]
    assert at(HOUR) == [late, {"before": 60, "left": 60, "persons": everybody}]


def test_a_worker_that_was_down_past_the_start_sends_none(jane: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", participants=[jane], date=START)

    assert at(-SECOND) == at(-DAY) == []
    session.refresh_from_db()
    assert session.reminder_due_at is None


def test_who_joins_between_the_two_while_the_worker_is_down_gets_the_second(
    john: Any, jane: Any, bob: Any, make_session: Any, at: Any
) -> None:
    session = make_session("scheduled", participants=[jane], date=START)
    at(12 * HOUR, worker=False)
    let_in(john, session, bob)

    assert at(HOUR / 2) == [{"before": 60, "left": 30, "persons": {john.pk, jane.pk, bob.pk}}]


def test_who_is_let_in_at_the_very_instant_is_reminded(
    john: Any, jane: Any, bob: Any, make_session: Any, at: Any
) -> None:
    session = make_session("scheduled", participants=[jane], date=START)
    at(DAY, worker=False)
    let_in(john, session, bob)

    assert [each["persons"] for each in at(DAY)] == [{john.pk, jane.pk, bob.pk}]


def test_a_part_of_a_minute_counts_as_one(make_session: Any, at: Any) -> None:
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


# --- A date that moves ------------------------------------------------------------------------------------------


def test_moving_the_date_arms_both_again(john: Any, jane: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", participants=[jane], date=START)
    at(DAY)
    at(DAY - HOUR, worker=False)
    new = START + timedelta(days=3)
    Api(john).put(path(session), {"date": z(new)})

    assert len(at(HOUR)) == 1
    assert [each["before"] for each in at(DAY, start=new)] == [1440, 1440]
    assert [each["before"] for each in at(HOUR, start=new)] == [1440, 1440, 60]
    assert reminders()[1]["persons"] == {john.pk, jane.pk}


def test_a_date_that_moves_into_the_window_reminds_an_hour_before(john: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", date=START + timedelta(days=30))
    at(DAY - HOUR, worker=False)
    Api(john).put(path(session), {"date": z(START)})

    assert at(DAY - HOUR) == []
    assert [each["before"] for each in at(HOUR)] == [60]


def test_a_date_that_moves_there_and_back_reminds_nobody_twice(john: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", date=START)
    at(DAY)
    for date in (START + timedelta(days=9), START):
        Api(john).put(path(session), {"date": z(date)})

    assert len(at(DAY)) == len(at(2 * HOUR)) == 1
    assert [each["before"] for each in at(HOUR)] == [1440, 60]


def test_who_was_reminded_of_this_start_is_left_out_when_others_are(
    john: Any, bob: Any, make_session: Any, at: Any
) -> None:
    session = make_session("approved", date=START)
    at(DAY)
    Api(john).put(path(session), {"date": z(START + timedelta(days=9))})
    # The clock was wrong, and is set back.
    at(DAY + HOUR, worker=False)
    let_in(john, session, bob)
    Api(john).put(path(session), {"date": z(START)})

    assert [each["persons"] for each in at(DAY)] == [{john.pk}, {bob.pk}]


def test_another_change_arms_nothing(john: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", date=START)
    at(DAY)
    Api(john).put(path(session), {"title": "New", "duration": 60, "date": z(START)})

    assert len(at(DAY - HOUR)) == 1


def test_a_date_that_moves_before_the_approval_arms_nothing_yet(
    john: Any, alice: Any, make_session: Any, at: Any
) -> None:
    session = make_session("pending_approval", date=START + timedelta(days=5))
    Api(john).put(path(session), {"date": z(START)})
    assert at(DAY) == []

    approve_session(session_id=session.pk, by=alice)
    assert [each["before"] for each in at(HOUR)] == [60]


# --- Gone -------------------------------------------------------------------------------------------------------


def test_a_cancelled_session_reminds_nobody(john: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", date=START)
    Api(john).post(path(session, "cancel/"))

    assert at(DAY) == at(HOUR) == []


def test_one_that_is_cancelled_between_the_hour_and_the_worker_reminds_nobody(
    john: Any, make_session: Any, at: Any
) -> None:
    session = make_session("scheduled", date=START)
    at(DAY, worker=False)
    Api(john).post(path(session, "cancel/"))

    assert at(DAY) == at(HOUR) == []


def test_one_that_moves_between_the_hour_and_the_worker_reminds_of_the_new_start_only(
    john: Any, make_session: Any, at: Any
) -> None:
    session = make_session("scheduled", date=START)
    at(DAY, worker=False)
    new = START + timedelta(days=3)
    Api(john).put(path(session), {"date": z(new)})

    assert at(DAY) == []
    assert [each["before"] for each in at(DAY, start=new)] == [1440]


def test_one_that_was_started_early_reminds_nobody(john: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", date=START)
    at(timedelta(minutes=10), worker=False)
    Api(john).post(path(session, "start/"))

    assert at(timedelta(minutes=10)) == []


def test_who_left_is_not_reminded(john: Any, jane: Any, bob: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", participants=[jane, bob], date=START)
    Api(jane).post(path(session, "leave/"))
    Api(john).delete(path(session, f"participants/{bob.pk}/"))

    assert [each["persons"] for each in at(DAY)] == [{john.pk}]


def test_who_leaves_and_comes_back_is_not_reminded_twice(john: Any, jane: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", participants=[jane], date=START)
    at(DAY)
    Api(jane).post(path(session, "leave/"))
    let_in(john, session, jane)

    assert len(at(DAY)) == 1


# --- The setting ------------------------------------------------------------------------------------------------


def test_the_offsets_are_a_setting(make_session: Any, at: Any, settings: Any) -> None:
    settings.REMINDER_MINUTES = [10, 120, 30, 30]
    make_session("scheduled", date=START)

    for before in (DAY, 2 * HOUR, HOUR, HOUR / 2, HOUR / 6, SECOND):
        at(before)

    assert [each["before"] for each in reminders()] == [120, 30, 10]


@pytest.fixture
def configured(settings: Any) -> Any:
    """The deployer configures other offsets, and the worker has armed by them."""

    def configure(*minutes: int) -> None:
        settings.REMINDER_MINUTES = list(minutes)
        reschedule_reminders()

    return configure


@pytest.mark.parametrize(
    ("before", "after", "sent"),
    [
        # Longer, between, shorter.
        ((1440, 60), (2880, 60), [2880, 60]),
        ((1440, 60), (1440, 120, 60), [1440, 120, 60]),
        ((1440,), (1440, 30), [1440, 30]),
        ((60,), (2880,), [2880]),
        # Fewer, none, and none before.
        ((1440, 60), (60,), [60]),
        ((1440, 60), (), []),
        ((), (60,), [60]),
    ],
)
def test_other_offsets_hold_for_what_was_armed_before(
    *, jane: Any, make_session: Any, at: Any, configured: Any, before: Any, after: Any, sent: Any
) -> None:
    configured(*before)
    at(5 * DAY, worker=False)
    make_session("scheduled", participants=[jane], date=START)
    at(4 * DAY)

    configured(*after)
    at(3 * DAY)
    for hours in range(71, 0, -1):
        at(hours * HOUR)
        at((hours - 0.5) * HOUR)

    assert [each["before"] for each in reminders()] == sent


def test_an_added_offset_that_has_passed_is_not_made_up_for(make_session: Any, at: Any, configured: Any) -> None:
    make_session("scheduled", date=START)
    at(30 * HOUR)

    configured(2880, 1440, 60)

    assert at(30 * HOUR) == at(25 * HOUR) == []
    assert [each["before"] for each in at(DAY)] == [1440]


def test_what_is_due_already_is_sent_before_other_offsets_hold(make_session: Any, at: Any, configured: Any) -> None:
    make_session("scheduled", date=START)
    at(DAY, worker=False)

    configured(2880, 1440, 60)

    assert [each["before"] for each in at(DAY - HOUR)] == [1440]


def test_an_offset_that_had_passed_when_it_was_armed_is_not_sent_for_want_of_the_other(
    alice: Any, make_session: Any, at: Any, configured: Any
) -> None:
    session = make_session("pending_approval", date=START)
    at(12 * HOUR, worker=False)
    approve_session(session_id=session.pk, by=alice)
    at(HOUR, worker=False)

    configured(1440)

    assert at(HOUR) == at(SECOND) == []


def test_a_start_that_was_reminded_of_is_not_reminded_of_again_by_the_same_offset(
    make_session: Any, at: Any, configured: Any
) -> None:
    make_session("scheduled", date=START)
    at(DAY)

    configured(1440, 120)

    assert [each["before"] for each in at(DAY)] == [1440]
    assert [each["before"] for each in at(2 * HOUR)] == [1440, 120]


def test_where_the_offsets_are_the_same_nothing_is_armed_anew(
    jane: Any, make_session: Any, at: Any, configured: Any
) -> None:
    for days in range(3):
        make_session("scheduled", participants=[jane], date=START + timedelta(days=days))

    configured(1440, 60)

    with nothing_changes():
        at(DAY + HOUR)


def test_what_another_process_armed_by_offsets_of_its_own_is_armed_anew_within_the_hour(
    *, alice: Any, make_session: Any, clock: Any, settings: Any
) -> None:
    """The web process was not started anew along with the worker."""
    session = make_session("pending_approval", date=START)
    of_the_worker, of_the_web = [120], [60]
    for minutes in range(6 * 60, 0, -1):
        clock.move_to(START - timedelta(minutes=minutes), tick=False)
        if minutes == 4 * 60:
            settings.REMINDER_MINUTES = of_the_web
            approve_session(session_id=session.pk, by=alice)
        settings.REMINDER_MINUTES = of_the_worker
        tasks.arm_reminders_anew.call_local()
        tasks.remind_of_sessions.call_local()

    assert [(each["before"], each["left"]) for each in reminders()] == [(120, 120)]


def test_no_offsets_are_no_reminders(alice: Any, make_session: Any, at: Any, settings: Any) -> None:
    settings.REMINDER_MINUTES = []
    session = make_session("pending_approval", date=START)
    approve_session(session_id=session.pk, by=alice)

    assert at(DAY) == at(SECOND) == []
    assert facts() == ["SessionApproved"]


def test_a_session_that_fails_stops_no_other(
    jane: Any, make_session: Any, at: Any, caplog: pytest.LogCaptureFixture
) -> None:
    broken, other = make_session("scheduled", date=START), make_session("scheduled", date=START)

    with failing_to_save(broken):
        at(DAY)
    assert (facts(broken), facts(other)) == ([], ["ReminderDue"])
    assert f"Session {broken.pk} could not be handled" in caplog.text

    at(DAY - SECOND)
    assert (facts(broken), facts(other)) == (["ReminderDue"], ["ReminderDue"])


# --- Many at once -----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_remind_everybody_once(john: Any, jane: Any, make_session: Any, at: Any) -> None:
    for _ in range(30):
        make_session("scheduled", participants=[jane], date=START)
    at(DAY, worker=False)

    assert sum(at_once(4, remind_due_sessions)) == 30

    assert reminders() == [{"before": 1440, "left": 1440, "persons": {john.pk, jane.pk}}] * 30
    assert Reminder.objects.count() == 60


@pytest.mark.django_db(transaction=True)
def test_who_leaves_while_the_worker_reminds_is_reminded_before_that_or_not_at_all(
    john: Any, jane: Any, make_session: Any, at: Any
) -> None:
    session = make_session("scheduled", participants=[jane], date=START)
    at(DAY, worker=False)
    together(remind_due_sessions, lambda: Api(jane).post(path(session, "leave/")).status_code)
    remind_due_sessions()

    if facts() == ["SeatLeft", "ReminderDue"]:
        assert [each["persons"] for each in reminders()] == [{john.pk}]
    else:
        assert facts() == ["ReminderDue", "SeatLeft"]
        assert [each["persons"] for each in reminders()] == [{john.pk, jane.pk}]


@pytest.mark.django_db(transaction=True)
def test_one_that_is_cancelled_while_the_worker_reminds_reminds_before_that_or_not_at_all(
    john: Any, make_session: Any, at: Any
) -> None:
    session = make_session("scheduled", date=START)
    at(DAY, worker=False)
    together(remind_due_sessions, lambda: Api(john).post(path(session, "cancel/")).status_code)
    remind_due_sessions()

    assert facts() in (["SessionCancelled"], ["ReminderDue", "SessionCancelled"])


def test_each_session_takes_as_many_queries_however_many_are_due_and_however_many_are_in(
    make_member: Any, make_session: Any, at: Any
) -> None:
    def queries(number: int, people: list[Any]) -> int:
        Session.objects.update(reminder_due_at=None)
        for _ in range(number):
            make_session("scheduled", participants=people, date=START)
        with CaptureQueriesContext(connection) as captured:
            assert remind_due_sessions() == number
        return len(captured)

    at(DAY)
    one, ten = [make_member()], [make_member() for _ in range(10)]
    few, some, many = queries(2, one), queries(3, one), queries(12, ten)

    assert many - some == 9 * (some - few)
