"""The dialog for decisions on one or many sessions that wait, with leases and content versions.

Its URLs, all of them for POST only:

    open/       takes the leases and shows the dialog
    preview/    shows what a creator will read, while the reason is written; renews the leases
    leave/      releases the leases
    carry-out/  decides on each session and reports the results
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from core.accounts.models import User
from core.admin.read_only import get_acting_member
from core.errors import DomainError
from core.portal.dialogs import close_dialog, get_back_url, render_dialog
from core.portal.differences import Difference, list_differences
from core.portal.ids import parse_id
from core.text.limits import MAX_REASON_LENGTH
from core.time import clock
from modules.sessions.admin.evidence import build_evidence_context, build_evidence_lines
from modules.sessions.admin.wording import WORDING
from modules.sessions.events import Notice, NoticeAsked, SessionApproved, SessionRejected
from modules.sessions.models import DecisionLease, ReasonTemplate, Session
from modules.sessions.policy import MODERATE, acts_as_moderator, build_viewer
from modules.sessions.queries.decisions import find_changes_since_version
from modules.sessions.queries.tabs import find_next_waiting
from modules.sessions.services import leases, moderation
from modules.sessions.services.deciding import ContentChanged, LeasedByOther
from modules.sessions.services.fact_fields import build_session_fields
from modules.sessions.states import Status

ADDRESS = "learning_sessions_decisions"
LIST = "admin:learning_sessions_session_changelist"
# As many as a page of the list shows.
MOST_AT_ONCE = 50
CHOSEN = "_selected_action"


class DecisionForm(forms.Form):
    """The decision and its reason. `back` is the page on which the dialog was opened."""

    decision = forms.ChoiceField(choices=[("approve", "Approve"), ("reject", "Reject")])
    reason = forms.CharField(max_length=MAX_REASON_LENGTH, required=False)
    back = forms.CharField(required=False)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("decision") == "reject" and not values.get("reason") and "reason" not in self.errors:
            self.add_error("reason", "Say why: the creator will read it.")
        return values


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A session in the dialog; with a `refusal`, it cannot be decided on."""

    session: Session
    lease: DecisionLease | None = None
    refusal: str = ""
    # What was changed since the version that was read.
    changed: Sequence[Difference] = ()


class Decisions:
    """The views of the dialog, below the URL of the list of sessions."""

    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        steps: dict[str, Callable[..., HttpResponse]] = {
            "open": self.open_decision,
            "preview": self.preview_decision,
            "leave": self.leave_decision,
            "carry-out": self.carry_out_decision,
        }
        own = [
            path(f"decisions/{step}/", self.admin_site.admin_view(require_POST(view)), name=f"{ADDRESS}_{step}")
            for step, view in steps.items()
        ]
        others: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [*own, *others]

    def open_decision(self, request: HttpRequest) -> HttpResponse:
        """Take the leases on the chosen sessions and show the dialog."""
        by = _require_moderator(request)
        chosen = _parse_chosen(request)
        if not chosen:
            messages.warning(request, "Tick the sessions first.")
            return close_dialog(request, _get_back_url(request))
        if len(chosen) > MOST_AT_ONCE:
            messages.warning(request, f"Decide on at most {MOST_AT_ONCE} sessions at once.")
            return close_dialog(request, _get_back_url(request))
        sessions = _load_sessions(chosen)
        gone = len(chosen) - len(sessions)
        if not sessions:
            messages.error(request, _format_deleted(gone))
            return close_dialog(request, _get_back_url(request))
        decision = "reject" if request.POST.get("decision") == "reject" else "approve"
        read = _parse_versions(request)
        candidates = [_take_lease(session, by, read.get(session.pk)) for session in sessions]
        return self._show(request, candidates, decision=decision, gone=gone)

    def preview_decision(self, request: HttpRequest) -> HttpResponse:
        """Show what the creator will read, and renew the leases."""
        by = _require_moderator(request)
        leases.renew_leases(taken=_parse_taken(request), by=by)
        decision, reason = request.POST.get("decision", ""), request.POST.get("reason", "").strip()[:MAX_REASON_LENGTH]
        first = next(iter(_load_sessions(list(_parse_versions(request))[:1])), None)
        notice = preview_notice(first, decision=decision, reason=reason) if first else None
        return TemplateResponse(request, "admin/learning_sessions/notice.html", {"notice": notice})

    def leave_decision(self, request: HttpRequest) -> HttpResponse:
        """Release the leases without a decision."""
        by = _require_moderator(request)
        leases.release_leases(taken=_parse_taken(request), by=by)
        return HttpResponse(status=204)

    def carry_out_decision(self, request: HttpRequest) -> HttpResponse:
        """Decide on each of the sessions that were shown, in the versions that were shown."""
        by = _require_moderator(request)
        form = DecisionForm(request.POST)
        versions = _parse_versions(request)
        sessions = _load_sessions(list(versions))
        if not form.is_valid():
            candidates = [_take_lease(session, by, versions[session.pk]) for session in sessions]
            return self._show(request, candidates, decision=form.data.get("decision", "reject"), form=form)
        decision, reason = form.cleaned_data["decision"], form.cleaned_data["reason"]
        if len(sessions) < len(versions):
            messages.error(request, _format_deleted(len(versions) - len(sessions)))
        left = [
            candidate
            for session in sessions
            if (candidate := _decide(request, session, by, decision, reason, versions[session.pk])) is not None
        ]
        if left:
            # Sessions that were edited or leased by others meanwhile are shown again.
            return self._show(request, left, decision=decision, form=form, settled=len(sessions) - len(left))
        return close_dialog(request, _get_back_url(request))

    def _show(
        self,
        request: HttpRequest,
        candidates: Sequence[Candidate],
        *,
        decision: str,
        form: DecisionForm | None = None,
        settled: int | None = None,
        gone: int = 0,
    ) -> HttpResponse:
        """Show the dialog.

        `settled` is how many of the chosen sessions were decided on already, if the dialog is shown again for the
        others; `gone` is how many were deleted.
        """
        open_ones = [each for each in candidates if not each.refusal]
        first = open_ones[0].session if open_ones else None
        reason = form.data.get("reason", "") if form else ""
        context = {
            "action": reverse(f"admin:{ADDRESS}_carry-out"),
            "preview": reverse(f"admin:{ADDRESS}_preview"),
            "leave": reverse(f"admin:{ADDRESS}_leave") if open_ones else "",
            "title": _format_title(decision, candidates),
            "decision": decision,
            "form": form,
            "reason": reason,
            "max_reason_length": MAX_REASON_LENGTH,
            "back": _get_back_url(request),
            "rows": _build_rows(candidates),
            "open_ones": open_ones,
            "templates": ReasonTemplate.objects.all() if decision == "reject" else (),
            "notice": preview_notice(first, decision=decision, reason=reason) if first else None,
            "is_changed": any(each.changed for each in candidates),
            "settled": settled,
            "gone": _format_deleted(gone) if gone else "",
            "is_stale": settled is not None,
        }
        return render_dialog(request, "admin/learning_sessions/decision.html", context)


def describe_decision(request: HttpRequest, session: Session) -> dict[str, Any]:
    """The `deciding` of `admin/learning_sessions/decision_buttons.html` on the page of a session."""
    viewer = build_viewer(get_acting_member(request))
    waits = session.status == Status.PENDING_APPROVAL and session.date > clock.now()
    return {
        "may_decide": waits and acts_as_moderator(session, viewer),
        "decisions": [("Approve", "portal-button-primary", "a"), ("Reject", "portal-button-danger", "r")],
        "values": urlencode(
            {CHOSEN: session.pk, f"version_{session.pk}": session.content_version, "back": request.get_full_path()}
        ),
        "next": find_next_waiting(session, viewer) if viewer.moderates else None,
    }


def preview_notice(session: Session, *, decision: str, reason: str) -> Notice | None:
    """What the creator would read of a decision."""
    kind = SessionApproved if decision == "approve" else SessionRejected
    return NoticeAsked(fact=kind(**build_session_fields(session)), reason=reason, person_id=session.creator_id).ask()


def _take_lease(session: Session, by: User, read: int | None) -> Candidate:
    """Take the lease if it is free, and find what was changed since the version that was `read`."""
    try:
        lease = leases.take_lease(session_id=session.pk, by=by)
    except DomainError as error:
        return Candidate(session=session, refusal=error.message)
    changes = {} if read is None else find_changes_since_version(lease.session, read)
    return Candidate(session=lease.session, lease=lease, changed=list_differences(changes, WORDING))


def _decide(
    request: HttpRequest, session: Session, by: User, decision: str, reason: str, version: int
) -> Candidate | None:
    """Decide on one session and add a message with the result.

    Returns a candidate to be shown again, with the reason kept, if the session was edited or leased by another
    moderator meanwhile.
    """
    try:
        if decision == "approve":
            moderation.approve_session(session_id=session.pk, by=by, version=version)
        else:
            moderation.reject_session(session_id=session.pk, by=by, reason=reason, version=version)
    except (ContentChanged, LeasedByOther):
        return _take_lease(session, by, version)
    except DomainError as error:
        messages.error(request, f"{session.title}: {error.message}")
    else:
        messages.success(request, f"{session.title} was {'approved' if decision == 'approve' else 'rejected'}.")
    return None


def _build_rows(candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    """The candidates with their evidence: all of it for a single one, else a summary."""
    sessions = [each.session for each in candidates if not each.refusal]
    if len(candidates) == 1 and sessions:
        evidence = {sessions[0].pk: build_evidence_context(sessions[0])}
    else:
        evidence = build_evidence_lines(sessions)
    return [{"candidate": each, "evidence": evidence.get(each.session.pk)} for each in candidates]


def _format_title(decision: str, candidates: Sequence[Candidate]) -> str:
    verb = "Approve" if decision == "approve" else "Reject"
    if len(candidates) == 1:
        return f"{verb} {candidates[0].session.title}"
    return f"{verb} {len(candidates)} sessions"


def _format_deleted(number: int) -> str:
    if number == 1:
        return "A session that was chosen is no longer there: it has been deleted."
    return f"{number} sessions that were chosen are no longer there: they have been deleted."


def _require_moderator(request: HttpRequest) -> User:
    by = get_acting_member(request)
    if not by.has_perm(MODERATE):
        raise PermissionDenied
    return by


def _parse_chosen(request: HttpRequest) -> list[int]:
    """The ids of the rows that were ticked; invalid ones are ignored."""
    ids = (parse_id(each) for each in request.POST.getlist(CHOSEN))
    return [each for each in dict.fromkeys(ids) if each is not None]


def _parse_versions(request: HttpRequest) -> dict[int, int]:
    """The versions that were read, by session id."""
    versions = {key: parse_id(value) for key, value in _parse_fields(request, "version_").items()}
    return {key: version for key, version in versions.items() if version is not None}


def _parse_taken(request: HttpRequest) -> dict[int, datetime]:
    """When the leases of the dialog were taken, by session id."""
    taken = {key: _parse_instant(value) for key, value in _parse_fields(request, "taken_").items()}
    return {key: instant for key, instant in taken.items() if instant is not None}


def _parse_fields(request: HttpRequest, prefix: str) -> dict[int, str]:
    """The form's fields with this prefix, by the session id that follows it; no more than a dialog can have."""
    named = ((parse_id(name.removeprefix(prefix)), name) for name in request.POST if name.startswith(prefix))
    found = ((key, str(request.POST[name])) for key, name in named if key is not None)
    return dict(islice(found, MOST_AT_ONCE))


def _parse_instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
        # Near the first and the last year, converting to UTC overflows.
        return instant.astimezone(UTC) if instant.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _load_sessions(ids: Sequence[int]) -> list[Session]:
    return list(Session.objects.select_related("creator").filter(pk__in=ids).order_by("date", "pk"))


def _get_back_url(request: HttpRequest) -> str:
    """The page on which the dialog was opened, or the list."""
    return get_back_url(request, reverse(LIST))
