"""The preview of what a deactivation would do."""

from typing import Any

import pytest
from tests.modules.sessions.conftest import (
    MakeSession,
)
from tests.modules.sessions.deactivation.conftest import Deactivate, records

from core.accounts.events import ConsequencesAsked
from core.accounts.models import User


def numbers(member: User, by: User) -> dict[str, int]:
    (answer,) = ConsequencesAsked(member_id=member.pk, by_id=by.pk).ask_all()
    return {each.key: each.count for each in answer}


def words(member: User, by: User) -> list[str]:
    (answer,) = ConsequencesAsked(member_id=member.pk, by_id=by.pk).ask_all()
    return [each.text for each in answer]


def test_the_consequences_are_described_beforehand(
    john: User, jane: User, bob: User, alice: User, mallory: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    make_session("pending_approval")
    make_session("approved", requests={jane: "pending", mallory: "rejected"})
    make_session("scheduled", participants=[jane, bob], requests={alice: "pending"})
    make_session("ongoing", participants=[bob])
    make_session("completed", participants=[mallory])
    make_session("approved", creator=jane, requests={john: "pending"})
    for _ in range(2):
        make_session("scheduled", creator=bob, participants=[john])
    make_session("ongoing", creator=jane, participants=[john])

    assert numbers(john, alice) == {"sessions": 4, "people": 2, "requests": 1, "places": 2}
    assert words(john, alice) == [
        "4 sessions of theirs are cancelled",
        "2 members who are in, or asked to join, are told",
        "1 request of theirs to join is withdrawn",
        "2 places of theirs are free again, and the creators are told",
    ]
    deactivate(john)

    assert numbers(john, alice) == {}
    assert len(records("SessionCancelled")) == 4
    told = {
        person
        for record in records("SessionCancelled")
        for person in record.payload["participant_ids"] + record.payload["requester_ids"]
    }
    assert told - {alice.pk} == {jane.pk, bob.pk}
    assert len(records("BookingRequestWithdrawn")) == 1
    assert len(records("SeatLeft")) == 2


def test_a_member_without_sessions_has_no_consequences(john: User, alice: User, make_session: MakeSession) -> None:
    make_session("completed")
    make_session("expired", creator=alice, requests={john: "rejected"})

    assert numbers(john, alice) == {}


@pytest.mark.parametrize(("status", "becomes"), [("approved", "expired"), ("ongoing", "completed")])
def test_sessions_that_are_over_by_time_are_not_counted(
    john: User, alice: User, make_session: MakeSession, clock: Any, status: str, becomes: str
) -> None:
    session = make_session(status)
    clock.move_to(session.ends_at, tick=False)

    assert numbers(john, alice) == {}


def test_a_session_that_is_due_to_start_is_counted(
    john: User, alice: User, make_session: MakeSession, clock: Any
) -> None:
    session = make_session("scheduled")
    clock.move_to(session.date, tick=False)

    assert numbers(john, alice)["sessions"] == 1


def test_the_number_of_queries_is_constant(
    john: User, jane: User, bob: User, alice: User, make_session: MakeSession, django_assert_num_queries: Any
) -> None:
    for _ in range(2):
        make_session("scheduled", participants=[jane, bob])
        make_session("scheduled", creator=jane, participants=[john])
        with django_assert_num_queries(4):
            numbers(john, alice)
