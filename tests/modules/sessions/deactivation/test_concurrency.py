"""Deactivations concurrent with other changes of the same sessions."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import (
    MakeSession,
    facts,
    path,
)
from tests.modules.sessions.deactivation.conftest import records, status_of
from tests.threads import run_concurrently

from core.accounts import deactivation
from core.accounts.models import User
from core.errors import DomainError
from modules.sessions.models import BookingRequest, Session
from modules.sessions.services.deactivation import cascade_all_deactivations


def outcome(change: Callable[..., object], *args: Any, **values: Any) -> Callable[[], Any]:
    def work() -> Any:
        try:
            return change(*args, **values)
        except DomainError as error:
            return type(error).__name__

    return work


@pytest.mark.django_db(transaction=True)
def test_a_session_cancelled_concurrently_by_its_creator_is_cancelled_once(
    john: User, alice: User, make_session: MakeSession
) -> None:
    session = make_session("scheduled")
    api = Api(john)

    run_concurrently(
        outcome(deactivation.deactivate_member, member_id=john.pk, by=alice, reason="Spam"),
        outcome(api.post, path(session, "cancel/"), {"reason": "My oven has broken down."}),
    )
    cascade_all_deactivations()

    assert status_of(session) == "cancelled"
    assert facts(session) == ["SessionCancelled"]


@pytest.mark.django_db(transaction=True)
def test_a_concurrently_approved_participant_keeps_no_seat(
    john: User, jane: User, alice: User, make_session: MakeSession
) -> None:
    session = make_session("approved", creator=jane, requests={john: "pending"})
    janes = Api(jane)

    run_concurrently(
        outcome(deactivation.deactivate_member, member_id=john.pk, by=alice, reason="Spam"),
        outcome(janes.post, path(session, "approve_request/"), {"user_id": john.pk}),
    )
    cascade_all_deactivations()

    session.refresh_from_db()
    assert session.participant_count == 0
    assert not BookingRequest.objects.filter(user=john).exists()


@pytest.mark.django_db(transaction=True)
def test_participants_of_each_others_sessions_can_be_deactivated_concurrently(
    john: User, jane: User, alice: User, root: User, make_session: MakeSession
) -> None:
    for creator, other in ((john, jane), (jane, john)):
        for _ in range(5):
            make_session("scheduled", creator=creator, participants=[other])

    results = run_concurrently(
        outcome(deactivation.deactivate_member, member_id=john.pk, by=alice, reason="Spam"),
        outcome(deactivation.deactivate_member, member_id=jane.pk, by=root, reason="Spam"),
        outcome(cascade_all_deactivations),
    )
    cascade_all_deactivations()

    assert not any(isinstance(result, Exception) for result in results), results
    assert set(Session.objects.values_list("status", flat=True)) == {"cancelled"}
    assert len(records("SessionCancelled")) == 10
