"""Queries of booking requests and participants, and their rows in the API."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.db.models import Q, QuerySet, Window
from django.db.models.functions import RowNumber

from core.accounts.presentation import USER_FIELDS, EmailAudience, present_user_values
from modules.sessions.models import BookingRequest, Session
from modules.sessions.policy import Viewer, build_email_audience, can_manage
from modules.sessions.schemas import MAX_REQUESTS_SHOWN

Row = dict[str, Any]
Values = Mapping[str, Any]

VALUES = (
    *("id", "session_id", "user_id", "message", "status", "requested_at", "role", "joined_at"),
    *(f"user__{name}" for name in USER_FIELDS),
)
# Pending requests, then the others; the newest first.
PENDING_FIRST = ("-is_waiting", "-requested_at", "-id")


@dataclass(frozen=True, kw_only=True)
class Bookings:
    """The bookings of a session that a viewer may see: participants by when they joined, pending requests first."""

    own_status: str | None
    participants: Sequence[Values]
    requests: Sequence[Values]

    @property
    def requester_ids(self) -> list[int]:
        """The ids of all these members."""
        return [each["user_id"] for each in (*self.participants, *self.requests)]


def load_bookings(sessions: Sequence[Session], viewer: Viewer) -> dict[int, Bookings]:
    """Load, by session id, the participants, and the viewer's own request or, if they manage it, the first requests.

    Two queries, or one if the viewer manages none of the sessions.
    """
    visible = _group_by_session(select_visible_requests(sessions, viewer).order_by("joined_at", "id"))
    managed = [session.pk for session in sessions if can_manage(session, viewer)]
    first = _group_by_session(_select_first_of_each(managed)) if managed else {}
    found = {}
    for session in sessions:
        own = [each for each in visible[session.pk] if each["user_id"] == viewer.id]
        found[session.pk] = Bookings(
            own_status=own[0]["status"] if own else None,
            participants=[each for each in visible[session.pk] if each["status"] == BookingRequest.Status.APPROVED],
            requests=first.get(session.pk, []) if can_manage(session, viewer) else own,
        )
    return found


def select_visible_requests(sessions: Iterable[Session], viewer: Viewer) -> "QuerySet[BookingRequest]":
    """Select what every viewer of these sessions sees: the participants, and the viewer's own booking requests."""
    return BookingRequest.objects.filter(
        Q(status=BookingRequest.Status.APPROVED) | Q(user=viewer.user),
        session__in=[session.pk for session in sessions],
    )


def select_requests(session: Session, statuses: Sequence[str]) -> "QuerySet[BookingRequest]":
    """Select the booking requests of a session, all or with one of these statuses."""
    requests = BookingRequest.objects.filter(session=session)
    return requests.filter(status__in=statuses) if statuses else requests


def load_request_page(session: Session, requests: "QuerySet[BookingRequest]", part: slice, viewer: Viewer) -> list[Row]:
    """Load one page of the booking requests of a session, pending first, as `viewer` may see them. One query."""
    page = list(requests.order_by(*PENDING_FIRST).values(*VALUES)[part])
    requester_ids = [each["user_id"] for each in page]
    return build_request_rows(page, build_email_audience(session.creator_id, viewer, None, requesters=requester_ids))


def load_own_requests(sessions: Sequence[Session], viewer: Viewer) -> dict[int, BookingRequest]:
    """Load the viewer's own booking requests by session id. One query."""
    by_id = {session.pk: session for session in sessions}
    found = {}
    for booking_request in BookingRequest.objects.filter(user=viewer.user, session__in=list(by_id)):
        booking_request.user = viewer.user
        booking_request.session = by_id[booking_request.session_id]
        found[booking_request.session_id] = booking_request
    return found


def build_request_row(booking_request: BookingRequest, viewer: Viewer) -> Row:
    """Build the API's row of a booking request, whose session and member are loaded."""
    [row] = build_request_rows([_read_values(booking_request)], _build_audience(booking_request, viewer))
    return row


def build_participant_row(booking_request: BookingRequest, viewer: Viewer) -> Row:
    """Build the API's row of a participant, whose session and member are loaded."""
    [row] = build_participant_rows([_read_values(booking_request)], _build_audience(booking_request, viewer))
    return row


def build_request_rows(requests: Iterable[Values], audience: EmailAudience) -> list[Row]:
    """Build the API's rows of booking requests from rows that have `VALUES`."""
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


def build_participant_rows(participants: Iterable[Values], audience: EmailAudience) -> list[Row]:
    """Build the API's rows of participants from rows that have `VALUES`."""
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


def _build_audience(booking_request: BookingRequest, viewer: Viewer) -> EmailAudience:
    return build_email_audience(booking_request.session.creator_id, viewer, None, requesters=[booking_request.user_id])


def _read_values(booking_request: BookingRequest) -> Values:
    return {name: attrgetter(name.replace("__", "."))(booking_request) for name in VALUES}


def _select_first_of_each(session_ids: Sequence[int]) -> "QuerySet[BookingRequest]":
    """Select the first booking requests of each session, in the order in which they are shown."""
    requests = BookingRequest.objects.filter(session__in=session_ids).order_by(*PENDING_FIRST)
    if len(session_ids) == 1:
        # Read from an index, however many there are.
        return requests[:MAX_REQUESTS_SHOWN]
    rank = Window(RowNumber(), partition_by="session_id", order_by=PENDING_FIRST)
    ranked = BookingRequest.objects.filter(session__in=session_ids).annotate(rank=rank)
    return requests.filter(pk__in=ranked.filter(rank__lte=MAX_REQUESTS_SHOWN).values("pk"))


def _group_by_session(requests: "QuerySet[BookingRequest]") -> dict[int, list[Values]]:
    by_session: dict[int, list[Values]] = defaultdict(list)
    for each in requests.values(*VALUES):
        by_session[each["session_id"]].append(each)
    return by_session
