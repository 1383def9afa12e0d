"""Due rows are found by partial indexes."""

from typing import Any

import pytest

from bench.fill_sessions import fill
from core.accounts.models import User
from modules.sessions.models import BookingRequest, Session
from modules.sessions.queries.deactivation import select_sessions_to_cancel, select_sessions_to_leave
from modules.sessions.services.life_cycle import advance_due_sessions, select_due_sessions
from modules.sessions.services.reminders import (
    nudge_creators,
    remind_due_sessions,
    select_due_for_nudge,
    select_due_for_reminder,
)

ROWS, DUE = 20_000, 30

SWEEPS = [
    (select_due_sessions, advance_due_sessions, "session_moves"),
    (select_due_for_reminder, remind_due_sessions, "session_reminder"),
    (select_due_for_nudge, nudge_creators, "session_nudge"),
]


@pytest.fixture
def clock(time_machine: Any) -> Any:
    """The real clock, since the due rows were just created."""
    return time_machine


@pytest.fixture
def many(db: None) -> None:
    for _ in fill(ROWS, due=DUE):
        pass


def test_each_due_query_uses_its_own_index(many: None) -> None:
    assert Session.objects.count() == ROWS
    for due, sweep, index in SWEEPS:
        plan = due()[:20].explain()

        assert index in plan
        assert "SCAN learning_sessions_session" not in plan.replace(f"USING INDEX {index}", "")
        assert "Seq Scan" not in plan
        # Read in its order: nothing that is due has to be sorted before the first of it is taken up.
        assert "Sort" not in plan
        assert "TEMP B-TREE" not in plan
        assert sweep() == DUE
        assert not due().exists()


def test_the_cascade_finds_its_rows_by_member(many: None) -> None:
    members = [User.objects.create(username=f"gone_{number}", is_active=False).pk for number in range(3)]
    for session in Session.objects.order_by("pk")[:2]:
        BookingRequest.objects.create(session=session, user_id=members[0])

    for due in (select_sessions_to_cancel(members), select_sessions_to_leave(members)):
        plan = due[:1].explain()

        assert "Seq Scan on learning_sessions_session" not in plan
        assert "SCAN learning_sessions_session" not in plan
