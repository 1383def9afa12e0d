"""Reminders of several sessions, of which one fails, and by several workers."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.conftest import Api
from tests.modules.sessions.conftest import facts, failing_to_save, path
from tests.modules.sessions.reminders.conftest import DAY, SECOND, START, reminders
from tests.threads import run_concurrently, run_in_threads

from modules.sessions.models import Reminder, Session
from modules.sessions.services.reminders import remind_due_sessions


def test_a_session_that_fails_does_not_block_others(
    jane: Any, make_session: Any, at: Any, caplog: pytest.LogCaptureFixture
) -> None:
    broken, other = make_session("scheduled", date=START), make_session("scheduled", date=START)

    with failing_to_save(broken):
        at(DAY)
    assert (facts(broken), facts(other)) == ([], ["ReminderDue"])
    assert f"Session {broken.pk} could not be handled" in caplog.text

    at(DAY - SECOND)
    assert (facts(broken), facts(other)) == (["ReminderDue"], ["ReminderDue"])


@pytest.mark.django_db(transaction=True)
def test_several_workers_remind_everybody_once(john: Any, jane: Any, make_session: Any, at: Any) -> None:
    for _ in range(30):
        make_session("scheduled", participants=[jane], date=START)
    at(DAY, worker=False)

    assert sum(run_in_threads(4, remind_due_sessions)) == 30

    assert reminders() == [{"before": 1440, "left": 1440, "persons": {john.pk, jane.pk}}] * 30
    assert Reminder.objects.count() == 60


@pytest.mark.django_db(transaction=True)
def test_leaving_is_serialized_with_reminding(john: Any, jane: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", participants=[jane], date=START)
    at(DAY, worker=False)
    run_concurrently(remind_due_sessions, lambda: Api(jane).post(path(session, "leave/")).status_code)
    remind_due_sessions()

    if facts() == ["SeatLeft", "ReminderDue"]:
        assert [each["persons"] for each in reminders()] == [{john.pk}]
    else:
        assert facts() == ["ReminderDue", "SeatLeft"]
        assert [each["persons"] for each in reminders()] == [{john.pk, jane.pk}]


@pytest.mark.django_db(transaction=True)
def test_cancelling_is_serialized_with_reminding(john: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", date=START)
    at(DAY, worker=False)
    run_concurrently(remind_due_sessions, lambda: Api(john).post(path(session, "cancel/")).status_code)
    remind_due_sessions()

    assert facts() in (["SessionCancelled"], ["ReminderDue", "SessionCancelled"])


def test_each_session_takes_a_constant_number_of_queries(make_member: Any, make_session: Any, at: Any) -> None:
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
