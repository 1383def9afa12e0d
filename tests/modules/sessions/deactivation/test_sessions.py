"""The sessions of a member who is deactivated."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from tests.modules.sessions.conftest import (
    FINAL,
    MakeSession,
    facts,
)
from tests.modules.sessions.deactivation.conftest import TOLD, Deactivate, records, requests_of, status_of

from core.accounts.models import User
from core.facts.models import FactRecord
from modules.sessions.services.leases import take_lease

OPEN_STATES = ["pending_approval", "approved", "scheduled", "ongoing"]


@pytest.mark.parametrize("status", OPEN_STATES)
def test_open_sessions_are_cancelled_by_the_actor_and_the_reason_is_private(
    john: User, alice: User, make_session: MakeSession, deactivate: Deactivate, status: str
) -> None:
    session = make_session(status)

    deactivate(john, reason="Spam")

    assert status_of(session) == "cancelled"
    (record,) = FactRecord.objects.filter(session_id=session.pk)
    assert (record.name, record.actor, record.reason) == ("sessions.SessionCancelled", alice, TOLD)
    assert record.changes == {"status": [status, "cancelled"]}


@pytest.mark.parametrize("status", FINAL)
def test_finished_sessions_do_not_change(
    john: User, make_session: MakeSession, deactivate: Deactivate, status: str
) -> None:
    session = make_session(status)

    deactivate(john)

    assert status_of(session) == status
    assert facts(session) == []


def test_others_read_the_explanation_instead_of_the_reason(
    john: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    make_session("scheduled")

    deactivate(john, reason="Threatened two members", told="John has left us.")

    assert [record.reason for record in records("SessionCancelled")] == ["John has left us."]


def test_a_session_that_waits_for_approval_is_cancelled_not_rejected(
    john: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    session = make_session("pending_approval")

    deactivate(john)

    assert facts(session) == ["SessionCancelled"]
    session.refresh_from_db()
    assert (session.decided_by, session.decided_at, session.approved_at) == (None, None, None)


def test_deactivating_needs_no_permission_to_moderate(
    john: User, make_member: Any, make_session: MakeSession, deactivate: Deactivate
) -> None:
    keeper = make_member("keeper")
    keeper.user_permissions.add(Permission.objects.get(codename="deactivate_user"))
    sessions = [make_session(status) for status in OPEN_STATES]

    deactivate(john, by=keeper)

    assert {status_of(session) for session in sessions} == {"cancelled"}
    assert {record.actor for record in records("SessionCancelled")} == {keeper}


def test_participants_are_recorded_and_requests_rejected(
    john: User, jane: User, bob: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    make_session("scheduled", participants=[jane], requests={bob: "pending"})

    deactivate(john)

    (record,) = records("SessionCancelled")
    assert (record.payload["participant_ids"], record.payload["requester_ids"]) == ([jane.pk], [bob.pk])
    assert set(requests_of(jane).values()) == {"approved"}
    assert set(requests_of(bob).values()) == {"rejected"}


def test_a_session_leased_by_another_moderator_is_cancelled_too(
    john: User, victor: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    session = make_session("pending_approval")
    take_lease(session_id=session.pk, by=victor)

    deactivate(john)

    assert status_of(session) == "cancelled"


@pytest.mark.parametrize(
    ("status", "hours", "becomes", "fact"),
    [
        ("pending_approval", 5 * 24, "expired", "SessionExpired"),
        ("approved", 5 * 24, "expired", "SessionExpired"),
        ("ongoing", 2, "completed", "SessionCompleted"),
    ],
)
def test_a_session_that_is_over_by_time_is_not_cancelled(
    john: User, make_session: MakeSession, deactivate: Deactivate, clock: Any, status: str, hours: int, becomes: str,
    fact: str,
) -> None:  # fmt: skip
    session = make_session(status)
    clock.shift(timedelta(hours=hours))

    deactivate(john)

    assert status_of(session) == becomes
    assert facts(session) == [fact]


def test_sessions_of_others_are_not_cancelled(
    john: User, jane: User, bob: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    session = make_session("scheduled", creator=jane, participants=[bob], requests={john: "rejected"})

    deactivate(john)

    assert status_of(session) == "scheduled"
    assert facts() == ["accounts.MemberDeactivated"]
    assert set(requests_of(john).values()) == {"rejected"}
