"""When reminders are sent, and to whom."""

from typing import Any

import pytest
from tests.modules.sessions.conftest import nothing_changes, z
from tests.modules.sessions.reminders.conftest import DAY, HOUR, SECOND, START

from core.facts.models import FactRecord
from modules.sessions.services.moderation import hide_session


def test_creator_and_participants_are_reminded_a_day_and_an_hour_before(
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


def test_a_reminder_is_recorded_without_an_actor(john: Any, jane: Any, make_session: Any, at: Any) -> None:
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


def test_repeated_runs_do_not_repeat_reminders(make_session: Any, at: Any) -> None:
    make_session("scheduled", date=START)
    at(DAY)

    for before in (DAY, DAY - SECOND, 2 * HOUR):
        with nothing_changes():
            at(before)


def test_the_creator_is_reminded_without_participants(john: Any, make_session: Any, at: Any) -> None:
    make_session("approved", date=START)

    assert at(DAY) == [{"before": 1440, "left": 1440, "persons": {john.pk}}]


def test_requesters_are_not_reminded(john: Any, jane: Any, bob: Any, make_session: Any, at: Any) -> None:
    make_session("approved", requests={jane: "pending", bob: "rejected"}, date=START)

    assert [each["persons"] for each in at(DAY)] == [{john.pk}]


@pytest.mark.parametrize("state", ["pending_approval", "ongoing", "completed", "cancelled", "expired"])
def test_only_open_sessions_remind(jane: Any, make_session: Any, at: Any, state: str) -> None:
    in_it = [] if state in {"pending_approval", "expired"} else [jane]
    make_session(state, participants=in_it, date=START)

    with nothing_changes():
        assert at(DAY) == at(HOUR) == at(SECOND) == []


def test_participants_of_a_hidden_session_are_reminded(alice: Any, make_session: Any, at: Any) -> None:
    session = make_session("scheduled", date=START)
    hide_session(session_id=session.pk, by=alice, reason="Reported")

    assert len(at(DAY)) == 1
