"""A moderator's decision in the portal, and what its creator reads of it in the API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from model_bakery import baker
from tests.conftest import Api
from tests.modules.sessions.portal import DECISIONS, carry_out, fields_of_dialog, open_decision
from tests.portal import log_in
from tests.threads import run_concurrently

from core.accounts.models import User
from core.facts.models import FactRecord
from core.time import clock
from modules.sessions.models import Session
from modules.sessions.services import moderation


@pytest.fixture
def moderators(make_member: Callable[..., User]) -> list[User]:
    members = [make_member(name, is_staff=True) for name in ("alice", "victor")]
    for member in members:
        member.groups.add(Group.objects.get(name="Moderators"))
    return members


@pytest.fixture
def session(john: User) -> Session:
    """John's, which waits."""
    start = clock.now() + timedelta(days=3)
    made: Session = baker.make(
        Session, title="Watercolours", creator=john, date=start, duration=60, max_participants=5, level="beginner"
    )
    return made


@pytest.mark.parametrize("reason", ["Too vague & <b>short</b>", "Two\nlines"])
def test_the_creator_reads_in_the_api_what_the_moderator_saw_in_the_preview(
    reason: str, moderators: list[User], john: User, session: Session
) -> None:
    moderator = log_in(moderators[0])
    fields = fields_of_dialog(open_decision(moderator, "reject", session))
    preview: Any = moderator.post(f"{DECISIONS}preview/", {**fields, "reason": reason})
    notice = preview.context["notice"]
    carry_out(moderator, fields, reason=reason)
    (told,) = Api(john).get("/api/notifications/").json()
    assert (told["title"], told["message"]) == (notice.title, notice.message)
    assert "<b>" not in preview.content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_the_creator_is_notified_of_one_of_two_concurrent_decisions(
    attempt: int, moderators: list[User], john: User, session: Session
) -> None:
    alice, victor = moderators
    run_concurrently(
        lambda: moderation.approve_session(session_id=session.pk, by=alice, version=0),
        lambda: moderation.reject_session(session_id=session.pk, by=victor, reason="No", version=0),
    )
    session.refresh_from_db()
    (told,) = Api(john).get("/api/notifications/").json()
    word = "approved" if session.status == "approved" else "rejected"
    assert told["title"] == f"Session {word}: Watercolours"
    assert FactRecord.objects.filter(session_id=session.pk).count() == 1
