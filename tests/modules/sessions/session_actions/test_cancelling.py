"""Cancelling a session in the portal."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from tests.modules.sessions.conftest import NOW, MakeSession, facts, nothing_changes
from tests.modules.sessions.session_actions.conftest import HX, REASON, address, confirm, open_dialog, told_after
from tests.portal import log_in

from core.accounts.models import User
from modules.sessions.events import Notice, NoticeAsked
from modules.sessions.models import BookingRequest, Session


def test_cancelling_closes_the_session_and_its_requests(moderator: Client, session: Session, bob: User) -> None:
    answer = confirm(moderator, session, "cancel")
    assert told_after(moderator, answer) == ["Knots was cancelled."]
    session.refresh_from_db()
    assert session.status == "cancelled"
    assert facts(session) == ["SessionCancelled"]
    assert BookingRequest.objects.get(user=bob).status == "rejected"


def test_the_dialog_says_how_many_will_be_notified(
    moderator: Client, alice: User, session: Session, make_session: MakeSession, jane: User
) -> None:
    dialog = open_dialog(moderator, session, "cancel").content.decode()
    assert "3 people will be told: its creator, 1 participant and 1 member who asked to join." in dialog
    alone = make_session("approved")
    assert "1 person will be told: its creator." in open_dialog(moderator, alone, "cancel").content.decode()
    with_me = make_session("scheduled", participants=[alice, jane])
    dialog = open_dialog(moderator, with_me, "cancel").content.decode()
    assert "2 people will be told: its creator and 1 participant." in dialog


def test_the_dialog_says_if_nobody_is_notified(root: User, make_session: MakeSession) -> None:
    dialog = open_dialog(log_in(root), make_session(creator=root), "cancel").content.decode()
    assert "Nobody else will be told" in dialog


def test_a_session_that_waits_for_approval_cannot_be_cancelled(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval", title="Knots")
    with nothing_changes():
        answer = moderator.post(address(session, "cancel"), {"confirming": "yes", "reason": REASON}, headers=HX)
    assert told_after(moderator, answer) == ["Knots: This session waits for a decision: reject it instead."]


def test_a_session_that_is_over_by_time_cannot_be_cancelled(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("ongoing", title="Knots", date=NOW - timedelta(hours=3))
    with nothing_changes():
        answer = confirm(moderator, session, "cancel")
    assert told_after(moderator, answer) == ["Knots: A session cannot go from completed to cancelled."]


@pytest.mark.parametrize("step", ["cancel", "remove"])
def test_the_notification_is_previewed_while_typing_the_reason(
    step: str, moderator: Client, session: Session, answer: Any, john: User, jane: User
) -> None:
    asked: list[NoticeAsked] = []

    def tell(question: NoticeAsked) -> Notice:
        asked.append(question)
        return Notice(title="Of <Knots>", message=f"Because: {question.reason}")

    answer(NoticeAsked, tell)
    with nothing_changes():
        assert "Of &lt;Knots&gt;" in open_dialog(moderator, session, step).content.decode()
        fields = {"confirming": "yes", "previewing": "yes", "reason": "Too <wet>"}
        preview = moderator.post(address(session, step), fields, headers=HX).content.decode()
    assert "Because: Too &lt;wet&gt;" in preview
    assert "<form" not in preview
    reader = {"cancel": john, "remove": jane}[step]
    kind = {"cancel": "SessionCancelled", "remove": "ParticipantRemoved"}[step]
    assert [(type(each.fact).__name__, each.reason, each.person_id) for each in asked] == [
        (kind, "", reader.pk),
        (kind, "Too <wet>", reader.pk),
    ]


@pytest.mark.parametrize("is_muted", [True, False])
def test_the_preview_says_if_the_reader_has_muted_the_kind(
    is_muted: bool, moderator: Client, session: Session, answer: Any
) -> None:
    answer(NoticeAsked, lambda question: Notice(title="Of knots", message="Because.", is_muted=is_muted))
    dialog = open_dialog(moderator, session, "cancel").content.decode()
    assert ("They have switched off news of this kind" in dialog) is is_muted
