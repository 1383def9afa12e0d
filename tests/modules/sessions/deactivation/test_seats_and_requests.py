"""The seats and requests of a member who is deactivated."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import (
    MakeSession,
    facts,
    path,
)
from tests.modules.sessions.deactivation.conftest import TOLD, Deactivate, records, requests_of

from core.accounts.models import User
from modules.sessions.services.deactivation import cascade_all_deactivations


def test_pending_requests_of_the_member_are_withdrawn(
    john: User, jane: User, alice: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    session = make_session("approved", creator=jane, requests={john: "pending"})

    deactivate(john, reason="Spam")

    assert requests_of(john) == {}
    (record,) = records("BookingRequestWithdrawn")
    assert (record.session_id, record.member_id, record.actor) == (session.pk, john.pk, alice)
    assert record.reason == "The account was deactivated."


def test_seats_of_the_member_are_released(
    john: User, jane: User, bob: User, alice: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    session = make_session("scheduled", creator=jane, participants=[john, bob], max_participants=2)

    deactivate(john, reason="Spam", told=TOLD)

    session.refresh_from_db()
    assert (session.status, session.participant_count) == ("scheduled", 1)
    assert session.calendar_sequence == 1
    (record,) = records("SeatLeft")
    assert (record.member_id, record.actor, record.reason) == (john.pk, alice, "The account was deactivated.")
    assert Api(alice).post(path(session, "join/")).status_code == 201


@pytest.mark.parametrize("status", ["ongoing", "completed", "cancelled", "expired"])
def test_seats_in_started_and_finished_sessions_are_kept(
    john: User, jane: User, make_session: MakeSession, deactivate: Deactivate, status: str
) -> None:
    make_session(status, creator=jane, participants=[john])

    deactivate(john)

    assert set(requests_of(john).values()) == {"approved"}
    assert facts() == ["accounts.MemberDeactivated"]


def test_seats_in_sessions_that_are_due_to_start_are_kept(
    john: User, jane: User, make_session: MakeSession, deactivate: Deactivate, clock: Any
) -> None:
    session = make_session("scheduled", creator=jane, participants=[john])
    clock.move_to(session.date, tick=False)

    deactivate(john)
    cascade_all_deactivations()

    assert set(requests_of(john).values()) == {"approved"}
    assert "SeatLeft" not in facts()
