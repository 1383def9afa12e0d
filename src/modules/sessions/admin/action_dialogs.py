"""The dialogs of the session actions: they show the consequences and ask for a reason.

The URLs are below that of the session and take only POST: they show the dialog, preview the notification while the
reason is written, and act once it is confirmed. The services check everything again.
"""

from collections.abc import Callable
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
from modules.sessions.admin.session_actions import ACTIONS, SessionAction
from modules.sessions.admin.wording import WORDING
from modules.sessions.events import Notice, NoticeAsked, ParticipantRemoved, SessionFact
from modules.sessions.models import BookingRequest, Session
from modules.sessions.policy import acts_as_moderator, build_viewer, is_before_start
from modules.sessions.queries.decisions import find_changes_since_decision, find_last_change
from modules.sessions.services import booking
from modules.sessions.services.deciding import ContentChanged
from modules.sessions.services.fact_fields import build_request_fields
from modules.sessions.services.life_cycle import list_participant_ids, list_pending_requester_ids

CONFIRMING = "confirming"
PREVIEWING = "previewing"

View = Callable[..., HttpResponse]


class ReasonForm(forms.Form):
    """The reason, and the content version that was shown."""

    reason = forms.CharField(max_length=MAX_REASON_LENGTH, error_messages={"required": "Say why."})
    content_version = forms.IntegerField(required=False, min_value=0)

    def __init__(self, *args: Any, needs_reason: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = needs_reason


class ActionDialogs:
    """The views of the dialogs."""

    @property
    def dialogs(self) -> dict[str, tuple[str, View]]:
        """The URL name and the view of each dialog, by the last part of its URL."""
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
        if (error := action.check(session)) is not None:
            messages.warning(request, _explain_error(action, session, error))
            return close_dialog(request, get_page_url(session))
        if PREVIEWING in request.POST:
            # Sent with the whole form while the reason is written: it must not act.
            fact = action.build_fact(session) if action.build_fact else None
            return _show_preview(request, fact, person_id=session.creator_id)
        form = ReasonForm(request.POST if CONFIRMING in request.POST else None, needs_reason=action.needs_reason)
        changes: list[Difference] = []
        if form.is_valid():
            try:
                action.carry_out(session, by, form.cleaned_data)
            except ContentChanged as conflict:
                session.refresh_from_db()
                changes = list_differences(conflict.changes, WORDING)
            except DomainError as failure:
                messages.error(request, _explain_failure(action, session, failure))
                return close_dialog(request, get_page_url(session))
            else:
                messages.success(request, action.success_message.format(title=session.title))
                return close_dialog(request, get_page_url(session))
        context = {
            "action": reverse(f"admin:{action.url_name}", args=[session.pk]),
            "title": f"{action.label}: {session.title}",
            "session": session,
            "about": action,
            "form": form,
            "needs_reason": action.needs_reason,
            "changes": changes,
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
    if not viewer.is_moderator:
        raise PermissionDenied
    session = Session.objects.select_related("creator").filter(pk=session_id).first()
    if session is None:
        raise Http404
    if not acts_as_moderator(session, viewer):
        raise PermissionDenied
    return session, by


def _build_consequences(action: SessionAction, session: Session, by: User) -> dict[str, Any]:
    """Build the part of the context that shows the consequences of the action."""
    if action.build_fact is not None:
        return {
            "audience": _format_audience(session, by),
            "notice": _ask_notice(action.build_fact(session), reason="", person_id=session.creator_id),
        }
    if action.key == "second-look":
        return {"differences": list_differences(find_changes_since_decision(session), WORDING)}
    return {}


def _format_audience(session: Session, by: User) -> str:
    """Return a sentence with how many people are notified of a cancellation, without `by`."""
    participants = len(set(list_participant_ids(session)) - {by.pk})
    requesters = len(set(list_pending_requester_ids(session)) - {by.pk})
    parts = ["its creator"] if session.creator_id != by.pk else []
    parts += [f"{participants} participant{pluralize(participants)}"] if participants else []
    parts += [f"{requesters} member{pluralize(requesters)} who asked to join"] if requesters else []
    people = participants + requesters + (session.creator_id != by.pk)
    if not people:
        return "Nobody else will be told: it concerns you alone."
    return f"{people} {'person' if people == 1 else 'people'} will be told: {get_text_list(parts, 'and')}."


def _show_preview(request: HttpRequest, fact: SessionFact | None, *, person_id: int) -> HttpResponse:
    """Show the notification with the reason as written so far."""
    reason = request.POST.get("reason", "").strip()[:MAX_REASON_LENGTH]
    notice = _ask_notice(fact, reason=reason, person_id=person_id) if fact else None
    return TemplateResponse(request, "admin/learning_sessions/notice.html", {"notice": notice})


def _ask_notice(fact: SessionFact, *, reason: str, person_id: int) -> Notice | None:
    return NoticeAsked(fact=fact, reason=reason, person_id=person_id).ask()


def _explain_not_removable(session: Session, seat: BookingRequest | None) -> str:
    if seat is None:
        return f"This member is not in {session.title} any more."
    return f"Participants of {session.title} can be removed only before its start."


def _explain_failure(action: SessionAction, session: Session, error: DomainError) -> str:
    """Return the error of the service, or who was first if the action is no longer possible."""
    current = Session.objects.filter(pk=session.pk).first()
    reason = action.check(current) if current else None
    return _explain_error(action, session, reason) if reason else f"{session.title}: {error.message}"


def _explain_error(action: SessionAction, session: Session, error: DomainError) -> str:
    """Return why the action is not possible, and who was first."""
    change = find_last_change(session.pk, action.changed_field)
    return f"{session.title}: {error.message}{f' {change.sentence}' if change else ''}"
