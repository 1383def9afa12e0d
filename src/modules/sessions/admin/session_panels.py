"""The panels of this module on the page about a session."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from core.accounts.models import User
from core.facts.models import FactRecord
from core.portal.differences import list_differences
from core.portal.history import VIEW_FACTS, History, list_history
from core.portal.panels import Panel
from modules.sessions.admin.evidence import build_evidence_context
from modules.sessions.admin.wording import WORDING
from modules.sessions.models import BookingRequest, Session
from modules.sessions.queries.decisions import find_changes_since_decision
from modules.sessions.schemas import MAX_REQUESTS_SHOWN

VIEW_REQUESTS = "learning_sessions.view_bookingrequest"
TEMPLATES = "admin/learning_sessions/panels"


def build_panels(session: Session, viewer: User, *, can_moderate: bool) -> list[Panel]:
    """Build the panels of this module that the viewer may see."""
    panels = [_build_details(session, can_moderate=can_moderate)]
    if can_moderate or viewer.has_perm(VIEW_REQUESTS):
        panels += [_build_requests(session, viewer), _build_participants(session)]
    history = load_history(session, viewer, can_moderate=can_moderate)
    if history is not None:
        context = {"history": history, "older_url": get_record_url(session)}
        panels.append(Panel(key="history", title="History", template="portal/history.html", rank=60, context=context))
    return panels


def load_history(session: Session, viewer: User, *, can_moderate: bool, before: int | None = None) -> History | None:
    """Return a page of the history of a session; `None` if the viewer may not read it."""
    if not (can_moderate or viewer.has_perm(VIEW_FACTS)):
        return None
    records = FactRecord.objects.filter(session_id=session.pk)
    return list_history(records, viewer=viewer, before=before, wording=WORDING)


def get_record_url(session: Session) -> str:
    return reverse("admin:learning_sessions_session_record", args=[session.pk])


def _build_details(session: Session, *, can_moderate: bool) -> Panel:
    context: dict[str, Any] = {"evidence": build_evidence_context(session) if can_moderate else None}
    if not can_moderate and session.second_look_since:
        context["differences"] = list_differences(find_changes_since_decision(session), WORDING)
    return Panel(key="details", title="Details", template=f"{TEMPLATES}/details.html", rank=10, context=context)


def _build_requests(session: Session, viewer: User) -> Panel:
    requests = _select_requests(session)
    count = requests.count()
    latest = list(requests.order_by("-requested_at", "-pk")[:MAX_REQUESTS_SHOWN])
    return Panel(
        key="requests",
        title="Requests",
        template=f"{TEMPLATES}/requests.html",
        rank=20,
        count=count,
        context={
            "requests": latest,
            "count": count,
            "all_url": _get_list_url(session) if count > len(latest) and viewer.has_perm(VIEW_REQUESTS) else "",
        },
    )


def _build_participants(session: Session) -> Panel:
    # Bounded by `max_participants`.
    seats = list(_select_requests(session).filter(status=BookingRequest.Status.APPROVED).order_by("joined_at", "pk"))
    return Panel(
        key="participants",
        title="Participants",
        template=f"{TEMPLATES}/participants.html",
        rank=30,
        count=len(seats),
        context={"seats": seats},
    )


def _select_requests(session: Session) -> "QuerySet[BookingRequest]":
    return BookingRequest.objects.filter(session=session).select_related("user", "decided_by")


def _get_list_url(session: Session) -> str:
    return f"{reverse('admin:learning_sessions_bookingrequest_changelist')}?session__id__exact={session.pk}"
