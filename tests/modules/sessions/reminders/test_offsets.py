"""The setting of when reminders are sent, and its changes."""

from datetime import timedelta
from typing import Any

import pytest
from tests.modules.sessions.conftest import facts, nothing_changes
from tests.modules.sessions.reminders.conftest import DAY, HOUR, SECOND, START, reminders

from modules.sessions import tasks
from modules.sessions.services.moderation import approve_session
from modules.sessions.services.reminders import reschedule_reminders


def test_the_offsets_are_a_setting(make_session: Any, at: Any, settings: Any) -> None:
    settings.REMINDER_MINUTES = [10, 120, 30, 30]
    make_session("scheduled", date=START)

    for before in (DAY, 2 * HOUR, HOUR, HOUR / 2, HOUR / 6, SECOND):
        at(before)

    assert [each["before"] for each in reminders()] == [120, 30, 10]


@pytest.fixture
def configured(settings: Any) -> Any:
    """Configures other offsets and lets the worker reschedule reminders."""

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
def test_new_offsets_apply_to_scheduled_reminders(
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


def test_due_reminders_are_sent_before_new_offsets_apply(make_session: Any, at: Any, configured: Any) -> None:
    make_session("scheduled", date=START)
    at(DAY, worker=False)

    configured(2880, 1440, 60)

    assert [each["before"] for each in at(DAY - HOUR)] == [1440]


def test_an_offset_that_had_passed_when_the_start_was_set_is_not_sent(
    alice: Any, make_session: Any, at: Any, configured: Any
) -> None:
    session = make_session("pending_approval", date=START)
    at(12 * HOUR, worker=False)
    approve_session(session_id=session.pk, by=alice)
    at(HOUR, worker=False)

    configured(1440)

    assert at(HOUR) == at(SECOND) == []


def test_the_same_offset_does_not_remind_twice_of_a_start(make_session: Any, at: Any, configured: Any) -> None:
    make_session("scheduled", date=START)
    at(DAY)

    configured(1440, 120)

    assert [each["before"] for each in at(DAY)] == [1440]
    assert [each["before"] for each in at(2 * HOUR)] == [1440, 120]


def test_unchanged_offsets_reschedule_nothing(jane: Any, make_session: Any, at: Any, configured: Any) -> None:
    for days in range(3):
        make_session("scheduled", participants=[jane], date=START + timedelta(days=days))

    configured(1440, 60)

    with nothing_changes():
        at(DAY + HOUR)


def test_reminders_scheduled_with_other_offsets_are_rescheduled_hourly(
    *, alice: Any, make_session: Any, clock: Any, settings: Any
) -> None:
    """The web process was not restarted with the worker."""
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
