"""Removing a participant in the portal."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.modules.sessions.conftest import NOW, MakeSession, facts, last_fact, nothing_changes
from tests.modules.sessions.portal import page
from tests.modules.sessions.session_actions.conftest import HX, REASON, address, confirm, told_after

from core.accounts.models import User
from modules.sessions.models import BookingRequest, Session


def test_removing_a_participant_frees_the_seat(moderator: Client, session: Session, jane: User) -> None:
    answer = confirm(moderator, session, "remove")
    assert answer["HX-Redirect"] == f"{page(session)}#participants"
    assert told_after(moderator, answer) == ["Jane Smith was removed from Knots."]
    session.refresh_from_db()
    assert session.participant_count == 0
    assert not BookingRequest.objects.filter(user=jane).exists()
    assert (facts(session), last_fact().member_id) == (["ParticipantRemoved"], jane.pk)


@pytest.mark.parametrize("who", ["bob", "mallory", "john"])
def test_only_participants_can_be_removed(
    who: str, moderator: Client, session: Session, request: pytest.FixtureRequest
) -> None:
    member = request.getfixturevalue(who)
    with nothing_changes():
        for fields in ({}, {"confirming": "yes", "reason": REASON}):
            answer = moderator.post(address(session, "remove", member), fields, headers=HX)
            assert told_after(moderator, answer) == ["This member is not in Knots any more."]


@pytest.mark.parametrize(
    ("status", "date"),
    [
        ("ongoing", NOW - timedelta(minutes=1)),
        ("completed", NOW - timedelta(days=1)),
        ("cancelled", NOW + timedelta(days=1)),
        # The worker is late.
        ("scheduled", NOW),
    ],
)
def test_participants_cannot_be_removed_after_the_start(
    status: str, date: Any, moderator: Client, make_session: MakeSession, jane: User
) -> None:
    session = make_session(status, title="Knots", participants=[jane], date=date, reminder_due_at=None)
    with nothing_changes():
        for fields in ({}, {"confirming": "yes", "reason": REASON}):
            answer = moderator.post(address(session, "remove", jane), fields, headers=HX)
            assert told_after(moderator, answer) == ["Participants of Knots can be removed only before its start."]
