"""Actions of moderators on a session after its approval, each in a dialog that shows the consequences and asks why.

The URLs are below that of the session and take only POST: they show the dialog, preview what people will read while
the reason is written, and act once it is confirmed. The services check everything again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.defaultfilters import pluralize
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import get_text_list

from core.accounts.models import User
from core.admin.read_only import get_acting_member
from core.errors import DomainError
from core.portal.dialogs import close_dialog, render_dialog
from core.portal.differences import Difference, list_differences
from core.portal.ids import parse_id
from core.text.limits import MAX_REASON_LENGTH
from core.time import clock
from modules.sessions.admin.wording import WORDING
from modules.sessions.events import AboutSession, Notice, NoticeAsked, ParticipantRemoved, SessionCancelled
from modules.sessions.models import BookingRequest, Session
from modules.sessions.policy import (
    acts_as_moderator,
    build_viewer,
    check_cancelling,
    check_hiding,
    check_second_look,
    check_showing,
    is_before_start,
)
from modules.sessions.queries.decisions import find_changes_since_decision, find_last_change
from modules.sessions.services import booking, moderation, running
from modules.sessions.services.deciding import ContentChanged
from modules.sessions.services.fact_fields import build_request_fields, build_session_fields
from modules.sessions.services.life_cycle import list_participant_ids, list_pending_requester_ids

CONFIRMING = "confirming"
PREVIEWING = "previewing"
VERSION = "content_version"

View = Callable[..., HttpResponse]


class ReasonForm(forms.Form):
    """The reason, and the content version that was read."""

    reason = forms.CharField(max_length=MAX_REASON_LENGTH, error_messages={"required": "Say why."})
    content_version = forms.IntegerField(required=False, min_value=0)

    def __init__(self, *args: Any, needs_reason: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = needs_reason


@dataclass(frozen=True, kw_only=True)
class SessionAction:
    """One action.

    `key` ends its URL. `done` is the message of success, with the title. `changes` is the field by which
    the record of facts says who did it.
    """

    key: str
    label: str
    confirm: str
    done: str
    changes: str
    refused: Callable[[Session], DomainError | None]
    carry_out: Callable[[Session, User, Mapping[str, Any]], object]
    needs_reason: bool = True
    style: str = ""
    # Builds the fact by which the creator and others are notified, if they are.
    tells: Callable[[Session], AboutSession] | None = None

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
        done="The edits of {title} stand.",
        changes="second_look_since",
        needs_reason=False,
        refused=check_second_look,
        carry_out=lambda session, by, values: moderation.take_second_look(
            session_id=session.pk, by=by, reason=values["reason"], version=values[VERSION] or 0
        ),
        style="portal-button-primary",
    ),
    SessionAction(
        key="hide",
        label="Hide",
        confirm="Hide the session",
        done="{title} is hidden.",
        changes="hidden_at",
        refused=check_hiding,
        carry_out=lambda session, by, values: moderation.hide_session(
            session_id=session.pk, by=by, reason=values["reason"]
        ),
    ),
    SessionAction(
        key="show",
        label="Show again",
        confirm="Show the session again",
        done="{title} can be seen again.",
        changes="hidden_at",
        needs_reason=False,
        refused=check_showing,
        carry_out=lambda session, by, values: moderation.show_session(
            session_id=session.pk, by=by, reason=values["reason"]
        ),
        style="portal-button-primary",
    ),
    SessionAction(
        key="cancel",
        label="Cancel",
        confirm="Cancel the session",
        done="{title} was cancelled.",
        changes="status",
        refused=check_cancelling,
        carry_out=lambda session, by, values: running.cancel_session(
            session_id=session.pk, by=by, reason=values["reason"]
        ),
        style="portal-button-danger",
        tells=_build_cancellation,
    ),
)


def list_actions(session: Session) -> list[dict[str, str]]:
    """The buttons for the actions that the status of a session allows."""
    return [
        {"label": action.label, "style": action.style, "url": reverse(f"admin:{action.url_name}", args=[session.pk])}
        for action in ACTIONS
        if action.refused(session) is None
    ]


class SessionActions:
    """The views of the dialogs."""

    @property
    def dialogs(self) -> dict[str, tuple[str, View]]:
        """Name and view of each dialog, by the end of its URL."""
        views: dict[str, tuple[str, View]] = {
            action.key: (action.url_name, partial(self.action_view, action=action)) for action in ACTIONS
        }
        views["participants/<int:member_id>/remove"] = (
            "learning_sessions_session_remove-participant",
            self.remove_participant_view,
        )
        return views

    def action_view(self, request: HttpRequest, object_id: int, *, action: SessionAction) -> HttpResponse:
        session, by = _require_moderator(request, object_id)
        if (refusal := action.refused(session)) is not None:
            messages.warning(request, _explain_refusal(action, session, refusal))
            return close_dialog(request, get_page_url(session))
        if PREVIEWING in request.POST:
            # Sent while the reason is being written, with the whole form: it must not act.
            return _show_preview(request, action.tells(session) if action.tells else None, person_id=session.creator_id)
        form = ReasonForm(request.POST if CONFIRMING in request.POST else None, needs_reason=action.needs_reason)
        changed: list[Difference] = []
        if form.is_valid():
            try:
                action.carry_out(session, by, form.cleaned_data)
            except ContentChanged as error:
                session.refresh_from_db()
                changed = list_differences(error.changes, WORDING)
            except DomainError as error:
                messages.error(request, _explain_failure(action, session, error))
                return close_dialog(request, get_page_url(session))
            else:
                messages.success(request, action.done.format(title=session.title))
                return close_dialog(request, get_page_url(session))
        context = {
            "action": reverse(f"admin:{action.url_name}", args=[session.pk]),
            "title": f"{action.label}: {session.title}",
            "session": session,
            "about": action,
            "form": form,
            "needs_reason": action.needs_reason,
            "changed": changed,
            **_build_consequences(action, session, by),
        }
        return render_dialog(request, f"admin/learning_sessions/actions/{action.key}.html", context)

    def remove_participant_view(self, request: HttpRequest, object_id: int, member_id: int) -> HttpResponse:
        session, by = _require_moderator(request, object_id)
        seats = BookingRequest.objects.filter(session=session, status=BookingRequest.Status.APPROVED)
        seat = seats.select_related("user").filter(user_id=parse_id(str(member_id)) or 0).first()
        back = f"{get_page_url(session)}#participants"
        if seat is None or not is_before_start(session, clock.now()):
            messages.warning(request, _explain_not_removable(session, seat))
            return close_dialog(request, back)
        fact = ParticipantRemoved(**build_request_fields(session, seat))
        if PREVIEWING in request.POST:
            return _show_preview(request, fact, person_id=member_id)
        form = ReasonForm(request.POST if CONFIRMING in request.POST else None, needs_reason=True)
        if not form.is_valid():
            context = {
                "action": reverse("admin:learning_sessions_session_remove-participant", args=[session.pk, member_id]),
                "title": f"Remove {seat.user.display_name}",
                "session": session,
                "seat": seat,
                "form": form,
                "needs_reason": True,
                "notice": _ask_notice(fact, reason="", person_id=member_id),
            }
            return render_dialog(request, "admin/learning_sessions/actions/remove-participant.html", context)
        try:
            booking.remove_participant(
                session_id=session.pk, participant_id=member_id, by=by, reason=form.cleaned_data["reason"]
            )
        except DomainError as error:
            messages.error(request, f"{session.title}: {error.message}")
        else:
            messages.success(request, f"{seat.user.display_name} was removed from {session.title}.")
        return close_dialog(request, back)


def get_page_url(session: Session) -> str:
    return reverse("admin:learning_sessions_session_change", args=[session.pk])


def _require_moderator(request: HttpRequest, session_id: int) -> tuple[Session, User]:
    by = get_acting_member(request)
    viewer = build_viewer(by)
    # Before the lookup: others must not learn which sessions exist.
    if not viewer.moderates:
        raise PermissionDenied
    session = Session.objects.select_related("creator").filter(pk=session_id).first()
    if session is None:
        raise Http404
    if not acts_as_moderator(session, viewer):
        raise PermissionDenied
    return session, by


def _build_consequences(action: SessionAction, session: Session, by: User) -> dict[str, Any]:
    """The part of the context that shows what the action leads to."""
    if action.tells is not None:
        return {
            "told": _format_audience(session, by),
            "notice": _ask_notice(action.tells(session), reason="", person_id=session.creator_id),
        }
    if action.key == "second-look":
        return {"differences": list_differences(find_changes_since_decision(session), WORDING)}
    return {}


def _format_audience(session: Session, by: User) -> str:
    """A sentence with how many people are notified of a cancellation, without who cancels."""
    participants = len(set(list_participant_ids(session)) - {by.pk})
    requesters = len(set(list_pending_requester_ids(session)) - {by.pk})
    parts = ["its creator"] if session.creator_id != by.pk else []
    parts += [f"{participants} participant{pluralize(participants)}"] if participants else []
    parts += [f"{requesters} member{pluralize(requesters)} who asked to join"] if requesters else []
    people = participants + requesters + (session.creator_id != by.pk)
    if not people:
        return "Nobody else will be told: it concerns you alone."
    return f"{people} {'person' if people == 1 else 'people'} will be told: {get_text_list(parts, 'and')}."


def _show_preview(request: HttpRequest, fact: AboutSession | None, *, person_id: int) -> HttpResponse:
    """What people would read with the reason that is being written."""
    reason = request.POST.get("reason", "").strip()[:MAX_REASON_LENGTH]
    notice = _ask_notice(fact, reason=reason, person_id=person_id) if fact else None
    return TemplateResponse(request, "admin/learning_sessions/notice.html", {"notice": notice})


def _ask_notice(fact: AboutSession, *, reason: str, person_id: int) -> Notice | None:
    return NoticeAsked(fact=fact, reason=reason, person_id=person_id).ask()


def _explain_not_removable(session: Session, seat: BookingRequest | None) -> str:
    if seat is None:
        return f"This member is not in {session.title} any more."
    return f"Participants of {session.title} can be removed only before its start."


def _explain_failure(action: SessionAction, session: Session, error: DomainError) -> str:
    """The error of the service, or who was first if the action is no longer possible."""
    now = Session.objects.filter(pk=session.pk).first()
    refusal = action.refused(now) if now else None
    return _explain_refusal(action, session, refusal) if refusal else f"{session.title}: {error.message}"


def _explain_refusal(action: SessionAction, session: Session, refusal: DomainError) -> str:
    """Why the action is not possible, and who was first."""
    change = find_last_change(session.pk, action.changes)
    return f"{session.title}: {refusal.message}{f' {change.sentence}' if change else ''}"
