"""The dialog for decisions on one or many sessions that wait for approval, with leases and content versions.

Its URLs, all of them for POST only:

    open/       takes the leases and shows the dialog
    preview/    shows what a creator will read, while the reason is written; renews the leases
    leave/      releases the leases
    carry-out/  decides on each session and reports the results
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from core.accounts.models import User
from core.admin.read_only import get_acting_member
from core.errors import DomainError
from core.portal.dialogs import close_dialog, render_dialog
from core.portal.differences import Difference, list_differences
from core.text.limits import MAX_REASON_LENGTH
from core.time import clock
from modules.sessions.admin.decision_form import (
    MAX_SESSIONS,
    SELECTED,
    DecisionForm,
    parse_back_url,
    parse_lease_times,
    parse_selected_ids,
    parse_versions,
)
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

URL_PREFIX = "learning_sessions_decisions"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A session in the dialog; with a `refusal`, it cannot be decided on."""

    session: Session
    lease: DecisionLease | None = None
    refusal: str = ""
    # Since the version that was shown.
    changes: Sequence[Difference] = ()


class DecisionDialog:
    """The views of the dialog, below the URL of the list of sessions."""

    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        steps: dict[str, Callable[..., HttpResponse]] = {
            "open": self.open_decision,
            "preview": self.preview_decision,
            "leave": self.leave_decision,
            "carry-out": self.carry_out_decision,
        }
        paths = [
            path(f"decisions/{step}/", self.admin_site.admin_view(require_POST(view)), name=f"{URL_PREFIX}_{step}")
            for step, view in steps.items()
        ]
        others: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [*paths, *others]

    def open_decision(self, request: HttpRequest) -> HttpResponse:
        """Take the leases on the selected sessions and show the dialog."""
        by = _require_moderator(request)
        selected = parse_selected_ids(request)
        if not selected:
            messages.warning(request, "Tick the sessions first.")
            return close_dialog(request, parse_back_url(request))
        if len(selected) > MAX_SESSIONS:
            messages.warning(request, f"Decide on at most {MAX_SESSIONS} sessions at once.")
            return close_dialog(request, parse_back_url(request))
        sessions = _load_sessions(selected)
        deleted = len(selected) - len(sessions)
        if not sessions:
            messages.error(request, _format_deleted(deleted))
            return close_dialog(request, parse_back_url(request))
        decision = "reject" if request.POST.get("decision") == "reject" else "approve"
        versions = parse_versions(request)
        candidates = [_take_lease(session, by, versions.get(session.pk)) for session in sessions]
        return self._show(request, candidates, decision=decision, deleted=deleted)

    def preview_decision(self, request: HttpRequest) -> HttpResponse:
        """Show what the creator will read, and renew the leases."""
        by = _require_moderator(request)
        leases.renew_leases(leases=parse_lease_times(request), by=by)
        decision, reason = request.POST.get("decision", ""), request.POST.get("reason", "").strip()[:MAX_REASON_LENGTH]
        first = next(iter(_load_sessions(list(parse_versions(request))[:1])), None)
        notice = preview_notice(first, decision=decision, reason=reason) if first else None
        return TemplateResponse(request, "admin/learning_sessions/notice.html", {"notice": notice})

    def leave_decision(self, request: HttpRequest) -> HttpResponse:
        """Release the leases without a decision."""
        by = _require_moderator(request)
        leases.release_leases(leases=parse_lease_times(request), by=by)
        return HttpResponse(status=204)

    def carry_out_decision(self, request: HttpRequest) -> HttpResponse:
        """Decide on each of the sessions that were shown, in the versions that were shown."""
        by = _require_moderator(request)
        form = DecisionForm(request.POST)
        versions = parse_versions(request)
        sessions = _load_sessions(list(versions))
        if not form.is_valid():
            candidates = [_take_lease(session, by, versions[session.pk]) for session in sessions]
            return self._show(request, candidates, decision=form.data.get("decision", "reject"), form=form)
        decision, reason = form.cleaned_data["decision"], form.cleaned_data["reason"]
        if len(sessions) < len(versions):
            messages.error(request, _format_deleted(len(versions) - len(sessions)))
        undecided = [
            candidate
            for session in sessions
            if (candidate := _decide(request, session, by, decision, reason, versions[session.pk])) is not None
        ]
        if undecided:
            decided = len(sessions) - len(undecided)
            return self._show(request, undecided, decision=decision, form=form, decided=decided)
        return close_dialog(request, parse_back_url(request))

    def _show(
        self,
        request: HttpRequest,
        candidates: Sequence[Candidate],
        *,
        decision: str,
        form: DecisionForm | None = None,
        decided: int | None = None,
        deleted: int = 0,
    ) -> HttpResponse:
        """Show the dialog.

        `decided` is how many of the selected sessions were decided on, if the dialog is shown again for the others;
        `deleted` is how many were deleted.
        """
        decidable = [each for each in candidates if not each.refusal]
        first = decidable[0].session if decidable else None
        reason = form.data.get("reason", "") if form else ""
        context = {
            "action": reverse(f"admin:{URL_PREFIX}_carry-out"),
            "preview": reverse(f"admin:{URL_PREFIX}_preview"),
            "leave": reverse(f"admin:{URL_PREFIX}_leave") if decidable else "",
            "title": _format_title(decision, candidates),
            "decision": decision,
            "form": form,
            "reason": reason,
            "max_reason_length": MAX_REASON_LENGTH,
            "back": parse_back_url(request),
            "rows": _build_rows(candidates),
            "decidable": decidable,
            "templates": ReasonTemplate.objects.all() if decision == "reject" else (),
            "notice": preview_notice(first, decision=decision, reason=reason) if first else None,
            "is_changed": any(each.changes for each in candidates),
            "decided": decided,
            "deleted": _format_deleted(deleted) if deleted else "",
            "is_stale": decided is not None,
        }
        return render_dialog(request, "admin/learning_sessions/decision.html", context)


def describe_decision(request: HttpRequest, session: Session) -> dict[str, Any]:
    """Build the `deciding` of `admin/learning_sessions/decision_buttons.html` on the page of a session."""
    viewer = build_viewer(get_acting_member(request))
    waits = session.status == Status.PENDING_APPROVAL and session.date > clock.now()
    return {
        "may_decide": waits and acts_as_moderator(session, viewer),
        "decisions": [("Approve", "portal-button-primary", "a"), ("Reject", "portal-button-danger", "r")],
        "values": urlencode(
            {SELECTED: session.pk, f"version_{session.pk}": session.content_version, "back": request.get_full_path()}
        ),
        "next": find_next_waiting(session, viewer) if viewer.is_moderator else None,
    }


def preview_notice(session: Session, *, decision: str, reason: str) -> Notice | None:
    """Return the notification that the creator would get."""
    kind = SessionApproved if decision == "approve" else SessionRejected
    return NoticeAsked(fact=kind(**build_session_fields(session)), reason=reason, person_id=session.creator_id).ask()


def _take_lease(session: Session, by: User, version: int | None) -> Candidate:
    """Take the lease if it is free, and find what was changed since the version that was shown."""
    try:
        lease = leases.take_lease(session_id=session.pk, by=by)
    except DomainError as error:
        return Candidate(session=session, refusal=error.message)
    changes = {} if version is None else find_changes_since_version(lease.session, version)
    return Candidate(session=lease.session, lease=lease, changes=list_differences(changes, WORDING))


def _decide(
    request: HttpRequest, session: Session, by: User, decision: str, reason: str, version: int
) -> Candidate | None:
    """Decide on one session and add a message with the result.

    Returns a candidate to show again if the session was edited, or leased by another moderator, meanwhile.
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
    """Return the candidates with their evidence: all of it for a single one, else a summary."""
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


def _load_sessions(ids: Sequence[int]) -> list[Session]:
    return list(Session.objects.select_related("creator").filter(pk__in=ids).order_by("date", "pk"))
