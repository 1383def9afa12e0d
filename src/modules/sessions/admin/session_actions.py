"""The actions of moderators on a session after its approval."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from core.accounts.models import User
from core.errors import DomainError
from modules.sessions.events import SessionCancelled, SessionFact
from modules.sessions.models import Session
from modules.sessions.policy import check_cancelling, check_hiding, check_second_look, check_showing
from modules.sessions.services import moderation, running
from modules.sessions.services.fact_fields import build_session_fields


@dataclass(frozen=True, kw_only=True)
class SessionAction:
    """One action, with the texts of its dialog.

    `key` is the end of its URL, and `success_message` takes the title. `changed_field` is the field whose last change
    in the record of facts shows who carried it out. `check` returns the error that forbids it.
    """

    key: str
    label: str
    confirm: str
    success_message: str
    changed_field: str
    check: Callable[[Session], DomainError | None]
    carry_out: Callable[[Session, User, Mapping[str, Any]], object]
    needs_reason: bool = True
    style: str = ""
    # Builds the fact that notifies the creator and others; `None` if nobody is notified.
    build_fact: Callable[[Session], SessionFact] | None = None

    @property
    def url_name(self) -> str:
        return f"learning_sessions_session_{self.key}"


def _build_cancellation(session: Session) -> SessionCancelled:
    return SessionCancelled(**build_session_fields(session), participant_ids=(), requester_ids=())


ACTIONS = (
    SessionAction(
        key="second-look",
        label="Let the edits stand",
        confirm="Let the edits stand",
        success_message="The edits of {title} stand.",
        changed_field="second_look_since",
        needs_reason=False,
        check=check_second_look,
        carry_out=lambda session, by, values: moderation.take_second_look(
            session_id=session.pk, by=by, reason=values["reason"], version=values["content_version"] or 0
        ),
        style="portal-button-primary",
    ),
    SessionAction(
        key="hide",
        label="Hide",
        confirm="Hide the session",
        success_message="{title} is hidden.",
        changed_field="hidden_at",
        check=check_hiding,
        carry_out=lambda session, by, values: moderation.hide_session(
            session_id=session.pk, by=by, reason=values["reason"]
        ),
    ),
    SessionAction(
        key="show",
        label="Show again",
        confirm="Show the session again",
        success_message="{title} can be seen again.",
        changed_field="hidden_at",
        needs_reason=False,
        check=check_showing,
        carry_out=lambda session, by, values: moderation.show_session(
            session_id=session.pk, by=by, reason=values["reason"]
        ),
        style="portal-button-primary",
    ),
    SessionAction(
        key="cancel",
        label="Cancel",
        confirm="Cancel the session",
        success_message="{title} was cancelled.",
        changed_field="status",
        check=check_cancelling,
        carry_out=lambda session, by, values: running.cancel_session(
            session_id=session.pk, by=by, reason=values["reason"]
        ),
        style="portal-button-danger",
        build_fact=_build_cancellation,
    ),
)


def list_actions(session: Session) -> list[dict[str, str]]:
    """List the buttons for the actions that the status of a session allows."""
    return [
        {"label": action.label, "style": action.style, "url": reverse(f"admin:{action.url_name}", args=[session.pk])}
        for action in ACTIONS
        if action.check(session) is None
    ]
