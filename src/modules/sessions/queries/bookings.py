"""Reading who has asked to join and who is in: the rows of the documented answers."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet, Window
from django.db.models.functions import RowNumber

from core.accounts.presentation import USER_FIELDS, EmailAudience, present_user, present_user_values
from modules.sessions.models import BookingRequest, Session
from modules.sessions.policy import Viewer, can_manage

Row = dict[str, Any]
Values = Mapping[str, Any]

VALUES = (
    *("id", "session_id", "user_id", "message", "status", "requested_at", "role", "joined_at"),
    *(f"user__{name}" for name in USER_FIELDS),
)
# Those that wait for an answer, then the others; the newest first.
PENDING_FIRST = ("-is_waiting", "-requested_at", "-id")
# How many of a session's requests its detail shows.
MAX_REQUESTS_SHOWN = 200


@dataclass(frozen=True, kw_only=True)
class Bookings:
    """What a viewer sees of one session: who is in, the first to come first, and requests, those that wait first."""

    own_status: str | None
    participants: Sequence[Values]
    requests: Sequence[Values]

    @property
    def requester_ids(self) -> list[int]:
        """Those of them who have a request in the session now, however it was decided."""
        return [each["user_id"] for each in (*self.participants, *self.requests)]


def load_bookings(sessions: Sequence[Session], viewer: Viewer) -> dict[int, Bookings]:
    """The participants of each session, the viewer's own request, and, where they run it, the first of all requests.

    Two queries, or one where they run none.
    """
    seen = _group_by_session(select_visible_requests(sessions, viewer).order_by("joined_at", "id"))
    run = [session.pk for session in sessions if can_manage(session, viewer)]
    first = _group_by_session(_select_first_of_each(run)) if run else {}
    found = {}
    for session in sessions:
        own = [each for each in seen[session.pk] if each["user_id"] == viewer.id]
        found[session.pk] = Bookings(
            own_status=own[0]["status"] if own else None,
            participants=[each for each in seen[session.pk] if each["status"] == BookingRequest.Status.APPROVED],
            requests=first.get(session.pk, []) if can_manage(session, viewer) else own,
        )
    return found


def select_visible_requests(sessions: Iterable[Session], viewer: Viewer) -> "QuerySet[BookingRequest]":
    """What everybody sees who sees these sessions: the participants, and their own request."""
    return BookingRequest.objects.filter(
        Q(status=BookingRequest.Status.APPROVED) | Q(user=viewer.user),
        session__in=[session.pk for session in sessions],
    )


def select_requests(session: Session, statuses: Sequence[str]) -> "QuerySet[BookingRequest]":
    """All requests of a session, or those of these states."""
    requests = BookingRequest.objects.filter(session=session)
    return requests.filter(status__in=statuses) if statuses else requests


def load_request_page(requests: "QuerySet[BookingRequest]", part: slice, viewer: Viewer) -> list[Row]:
    """One page of them, those that wait first, for somebody who runs the session. One query."""
    page = list(requests.order_by(*PENDING_FIRST).values(*VALUES)[part])
    requester_ids = frozenset(each["user_id"] for each in page)
    return request_rows(page, EmailAudience(viewer_id=viewer.id, others=requester_ids))


def load_own_requests(sessions: Sequence[Session], viewer: Viewer) -> dict[int, BookingRequest]:
    """The viewer's own requests by session. One query."""
    requests = BookingRequest.objects.filter(user=viewer.user, session__in=[session.pk for session in sessions])
    found = {request.session_id: request for request in requests}
    for request in found.values():
        request.user = viewer.user
    return found


def booking_request_row(request: BookingRequest, viewer: Viewer) -> Row:
    """A request as asking and deciding answer it: to the requester, or to those who run the session."""
    return {
        "id": request.pk,
        "user": present_user(request.user, EmailAudience(viewer_id=viewer.id, others=frozenset({request.user_id}))),
        "message": request.message,
        "status": request.status,
        "requested_at": request.requested_at,
    }


def participant_row(request: BookingRequest, viewer: Viewer) -> Row:
    """A participant as their creator sees them, or as they see themselves."""
    return {
        "id": request.pk,
        "user": present_user(request.user, EmailAudience(viewer_id=viewer.id, others=frozenset({request.user_id}))),
        "role": request.role,
        "status": request.status,
        "joined_at": request.joined_at,
    }


def participant_rows(participants: Iterable[Values], audience: EmailAudience) -> list[Row]:
    return [
        {
            "id": each["id"],
            "user": present_user_values(each, "user__", audience),
            "role": each["role"],
            "status": each["status"],
            "joined_at": each["joined_at"],
        }
        for each in participants
    ]


def request_rows(requests: Iterable[Values], audience: EmailAudience) -> list[Row]:
    return [
        {
            "id": each["id"],
            "user": present_user_values(each, "user__", audience),
            "message": each["message"],
            "status": each["status"],
            "requested_at": each["requested_at"],
        }
        for each in requests
    ]


def _select_first_of_each(session_ids: Sequence[int]) -> "QuerySet[BookingRequest]":
    """The first requests of each session, in the order in which they are shown."""
    requests = BookingRequest.objects.filter(session__in=session_ids).order_by(*PENDING_FIRST)
    if len(session_ids) == 1:
        # Read off an index, however many there are.
        return requests[:MAX_REQUESTS_SHOWN]
    place = Window(RowNumber(), partition_by="session_id", order_by=PENDING_FIRST)
    first = (
        BookingRequest.objects.filter(session__in=session_ids)
        .annotate(place=place)
        .filter(place__lte=MAX_REQUESTS_SHOWN)
    )
    return requests.filter(pk__in=first.values("pk"))


def _group_by_session(requests: "QuerySet[BookingRequest]") -> dict[int, list[Values]]:
    by_session: dict[int, list[Values]] = defaultdict(list)
    for each in requests.values(*VALUES):
        by_session[each["session_id"]].append(each)
    return by_session
