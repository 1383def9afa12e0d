"""Running the worker at an instant, and the reminders that it published."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import path

from core.facts.models import FactRecord
from modules.sessions.models import Session
from modules.sessions.services.reminders import remind_due_sessions

START = datetime(2024, 1, 20, 12, tzinfo=UTC)


DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)


@pytest.fixture
def at(clock: Any) -> Any:
    """`at(DAY)` moves the clock to a day before the start; `worker=True` runs the worker then."""

    def move(before: timedelta, *, start: datetime = START, worker: bool = True) -> list[dict[str, Any]]:
        clock.move_to(start - before, tick=False)
        if worker:
            remind_due_sessions()
        return reminders()

    return move


def reminders() -> list[dict[str, Any]]:
    """The published reminders, as `{minutes_before, minutes_left, persons}`."""
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
