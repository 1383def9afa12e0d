"""Booking requests and participants as the API answers them."""

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

Row = dict[str, Any]
Values = Mapping[str, Any]

VALUES = (
    *("id", "session_id", "user_id", "message", "status", "requested_at", "role", "joined_at"),
    *(f"user__{name}" for name in USER_FIELDS),
)
# Those that wait for an answer, then the others; the newest first.
PENDING_FIRST = ("-is_waiting", "-requested_at", "-id")
# How many booking requests are shown with a session; the others are in lists of their own.
MAX_REQUESTS_SHOWN = 200


@dataclass(frozen=True, kw_only=True)
class Bookings:
    """What a viewer sees of the bookings of one session: participants by when they joined, requests pending first."""

    own_status: str | None
    participants: Sequence[Values]
    requests: Sequence[Values]

    @property
    def requester_ids(self) -> list[int]:
        """The ids of all members in it, whatever the status of their booking requests."""
        return [each["user_id"] for each in (*self.participants, *self.requests)]


def load_bookings(sessions: Sequence[Session], viewer: Viewer) -> dict[int, Bookings]:
    """By session id, the participants and the viewer's own booking request; for who manages it the first of all.

    Two queries, or one where the viewer manages none of the sessions.
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
    """What everybody sees who sees these sessions: the participants, and their own booking requests."""
    return BookingRequest.objects.filter(
        Q(status=BookingRequest.Status.APPROVED) | Q(user=viewer.user),
        session__in=[session.pk for session in sessions],
    )


def select_requests(session: Session, statuses: Sequence[str]) -> "QuerySet[BookingRequest]":
    """All booking requests of a session, or only those with one of these statuses."""
    requests = BookingRequest.objects.filter(session=session)
    return requests.filter(status__in=statuses) if statuses else requests


def load_request_page(session: Session, requests: "QuerySet[BookingRequest]", part: slice, viewer: Viewer) -> list[Row]:
    """One page of the booking requests of a session, pending first, as `viewer` may see them. One query."""
    page = list(requests.order_by(*PENDING_FIRST).values(*VALUES)[part])
    requester_ids = [each["user_id"] for each in page]
    return build_request_rows(page, build_email_audience(session.creator_id, viewer, None, requesters=requester_ids))


def load_own_requests(sessions: Sequence[Session], viewer: Viewer) -> dict[int, BookingRequest]:
    """The viewer's own booking requests by session id. One query."""
    by_id = {session.pk: session for session in sessions}
    found = {}
    for booking_request in BookingRequest.objects.filter(user=viewer.user, session__in=list(by_id)):
        booking_request.user = viewer.user
        booking_request.session = by_id[booking_request.session_id]
        found[booking_request.session_id] = booking_request
    return found


def build_request_row(booking_request: BookingRequest, viewer: Viewer) -> Row:
    """A booking request as asking and deciding answer it; it comes with its session and its member."""
    [row] = build_request_rows([_read_values(booking_request)], _build_audience(booking_request, viewer))
    return row


def build_participant_row(booking_request: BookingRequest, viewer: Viewer) -> Row:
    """A participant as their creator or they themselves see them; it comes with its session and its member."""
    [row] = build_participant_rows([_read_values(booking_request)], _build_audience(booking_request, viewer))
    return row


def build_request_rows(requests: Iterable[Values], audience: EmailAudience) -> list[Row]:
    """The documented rows of booking requests, from rows that have `VALUES`."""
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
    """The documented rows of participants, from rows that have `VALUES`."""
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
    """The first booking requests of each session, in the order in which they are shown."""
    requests = BookingRequest.objects.filter(session__in=session_ids).order_by(*PENDING_FIRST)
    if len(session_ids) == 1:
        # Read off an index, however many there are.
        return requests[:MAX_REQUESTS_SHOWN]
    rank = Window(RowNumber(), partition_by="session_id", order_by=PENDING_FIRST)
    ranked = BookingRequest.objects.filter(session__in=session_ids).annotate(rank=rank)
    return requests.filter(pk__in=ranked.filter(rank__lte=MAX_REQUESTS_SHOWN).values("pk"))


def _group_by_session(requests: "QuerySet[BookingRequest]") -> dict[int, list[Values]]:
    by_session: dict[int, list[Values]] = defaultdict(list)
    for each in requests.values(*VALUES):
        by_session[each["session_id"]].append(each)
    return by_session
