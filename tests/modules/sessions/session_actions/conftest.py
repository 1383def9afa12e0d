"""A session on which every action is possible, and the dialogs of its page."""

from typing import Any

import pytest
from django.test import Client
from tests.modules.sessions.conftest import NOW, MakeSession
from tests.modules.sessions.portal import LIST, messages_of

from core.accounts.models import User
from modules.sessions.models import BookingRequest, Session

HX = {"HX-Request": "true"}


REASON = "The room was flooded."
STEPS = ("cancel", "hide", "show", "second-look", "remove")


def address(session: Session, step: str, member: User | None = None) -> str:
    if step == "remove":
        participant = member or BookingRequest.objects.filter(session=session, status="approved").latest("pk").user
        return f"{LIST}{session.pk}/participants/{participant.pk}/remove/"
    return f"{LIST}{session.pk}/{step}/"


def open_dialog(client: Client, session: Session, step: str) -> Any:
    return client.post(address(session, step), headers=HX)


def fields_of(dialog: Any) -> dict[str, str]:
    """The fields of the form besides the reason."""
    fields = {"confirming": "yes"}
    if "content_version" in dialog.content.decode():
        fields["content_version"] = str(dialog.context["session"].content_version)
    return fields


def confirm(client: Client, session: Session, step: str, reason: str = REASON) -> Any:
    """Open the dialog and submit it."""
    dialog = open_dialog(client, session, step)
    assert dialog.status_code == 200, dialog.content
    return client.post(address(session, step), {**fields_of(dialog), "reason": reason}, headers=HX)


def told_after(client: Client, answer: Any) -> list[str]:
    """The messages on the page after a dialog."""
    assert answer.status_code == 204, answer.content
    return messages_of(client.get(answer["HX-Redirect"]))


@pytest.fixture
def session(make_session: MakeSession, jane: User, bob: User) -> Session:
    """A session on which every action is possible: scheduled, with a participant, hidden and edited."""
    return make_session(
        "scheduled",
        title="Knots",
        participants=[jane],
        requests={bob: "pending"},
        hidden_at=NOW,
        second_look_since=NOW,
    )


def with_step(session: Session, step: str) -> Session:
    """The session in a state in which this action is possible."""
    if step == "hide":
        session.hidden_at = None
        session.save()
    return session
