"""Reading sessions: who sees which, and the rows of the documented answers."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from core import clock
from core.accounts.models import User
from core.accounts.presentation import EmailAudience, present_user, present_user_values
from core.errors import NotFound
from core.text import search_key
from modules.sessions.events import MaterialsOfSessions
from modules.sessions.models import BookingRequest, Session
from modules.sessions.policy import Viewer, email_audience, joining_refused, may_read_materials, runs, viewer_of

Row = dict[str, Any]
Values = Mapping[str, Any]
ORDERINGS = {
    "date": ("date", "id"),
    "-date": ("-date", "-id"),
    "created_at": ("created_at", "id"),
    "-created_at": ("-created_at", "-id"),
}
REQUEST_VALUES = (
    "id",
    "session_id",
    "user_id",
    "message",
    "status",
    "requested_at",
    "role",
    "joined_at",
    "user__id",
    "user__username",
    "user__first_name",
    "user__last_name",
    "user__email",
    "user__date_joined",
)


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What a list of sessions is narrowed to: any of the states, any of the levels (where there are some); bounds are
    inclusive instants."""

    status: Sequence[str] = ()
    subject: str | None = None
    level: Sequence[str] = ()
    date_from: datetime | None = None
    date_to: datetime | None = None
    creator: int | None = None


def visible_sessions(viewer: Viewer) -> QuerySet[Session]:
    """The sessions that a viewer may know of.

    One that was approved at least once is every member's to see, unless a moderator has hidden it: then it is its
    creator's, its participants' and the moderators'. One that never was, its creator's and the moderators'.
    """
    if viewer.moderates:
        return Session.objects.all()
    joined = BookingRequest.objects.filter(user=viewer.user, status=BookingRequest.Status.APPROVED)
    return Session.objects.filter(
        Q(approved_at__isnull=False, hidden_at__isnull=True)
        | Q(creator=viewer.user)
        | Q(pk__in=joined.values("session_id"))
    )


def visible_session(session_id: int, viewer: Viewer) -> Session:
    """Raises `NotFound` where there is none, or none that the viewer may know of."""
    session = visible_sessions(viewer).select_related("creator").filter(pk=session_id).first()
    if session is None:
        raise NotFound("There is no such session.")
    return session


def may_see(session: Session, person_id: int) -> bool:
    """Whether somebody, as their rights are now, finds this session."""
    person = User.objects.filter(pk=person_id).first()
    return person is not None and visible_sessions(viewer_of(person)).filter(pk=session.pk).exists()


def filtered_sessions(viewer: Viewer, filters: Filters) -> QuerySet[Session]:
    sessions = visible_sessions(viewer)
    if filters.status:
        sessions = sessions.filter(status__in=filters.status)
    if filters.subject is not None:
        sessions = sessions.filter(subject_key__contains=search_key(filters.subject))
    if filters.level:
        sessions = sessions.filter(level__in=filters.level)
    if filters.date_from is not None:
        sessions = sessions.filter(date__gte=filters.date_from)
    if filters.date_to is not None:
        sessions = sessions.filter(date__lte=filters.date_to)
    if filters.creator is not None:
        sessions = sessions.filter(creator_id=filters.creator)
    return sessions


def list_rows(sessions: QuerySet[Session], ordering: str, part: slice, viewer: Viewer) -> list[Row]:
    """One page as the list shows it: two queries, whatever its size."""
    page = list(sessions.select_related("creator").order_by(*ORDERINGS[ordering])[part])
    own = dict(
        BookingRequest.objects.filter(user=viewer.user, session__in=[session.pk for session in page]).values_list(
            "session_id", "status"
        )
    )
    now = clock.now()
    return [
        {
            **_base_row(session, email_audience(session.creator_id, viewer, own.get(session.pk))),
            "participant_count": session.participant_count,
            "is_full": session.is_full,
            "available_spots": session.available_spots,
            "can_join": joining_refused(session, viewer.id, own.get(session.pk), now) is None,
        }
        for session in page
    ]


def created_row(session: Session, viewer: Viewer) -> Row:
    """The twelve keys that creating a session answers."""
    return _base_row(session, email_audience(session.creator_id, viewer, None))


def my_sessions(viewer: Viewer, origin: str) -> dict[str, list[Row]]:
    """What the viewer offers and what they are a participant of, in full, in as many queries for one as for many."""
    newest = ORDERINGS["-date"]
    created = list(Session.objects.select_related("creator").filter(creator=viewer.user).order_by(*newest))
    joined = list(
        Session.objects.select_related("creator")
        .filter(booking_requests__user=viewer.user, booking_requests__status=BookingRequest.Status.APPROVED)
        .order_by(*newest)
    )
    rows = detail_rows([*created, *joined], viewer, origin)
    return {"created": rows[: len(created)], "joined": rows[len(created) :]}


def detail_row(session: Session, viewer: Viewer, origin: str) -> Row:
    return detail_rows([session], viewer, origin)[0]


def detail_rows(sessions: list[Session], viewer: Viewer, origin: str) -> list[Row]:
    """Sessions in full: one query for their requests, and the question for their materials.

    `origin` (`https://host`) begins the links to files. The sessions come with their creators.
    """
    requests = _requests_of(sessions, viewer)
    own = {session.pk: _own_status(requests[session.pk], viewer) for session in sessions}
    audiences = {session.pk: email_audience(session.creator_id, viewer, own[session.pk]) for session in sessions}
    readable = {
        session.pk: audiences[session.pk]
        for session in sessions
        if may_read_materials(session, viewer, own[session.pk])
    }
    materials = MaterialsOfSessions(audiences=readable, origin=origin).ask() if readable else {}
    now = clock.now()
    return [
        {
            **_base_row(session, audiences[session.pk]),
            "participants": _participant_rows(requests[session.pk], audiences[session.pk]),
            "materials": materials.get(session.pk, []),
            "booking_requests": _booking_request_rows(session, requests[session.pk], audiences[session.pk], viewer),
            "is_full": session.is_full,
            "available_spots": session.available_spots,
            "participant_count": session.participant_count,
            "can_join": joining_refused(session, viewer.id, own[session.pk], now) is None,
        }
        for session in sessions
    ]


def booking_request_row(request: BookingRequest, viewer: Viewer) -> Row:
    """A request as asking and deciding answer it: to the requester, or to those who run the session."""
    return {
        "id": request.pk,
        "user": present_user(request.user, EmailAudience(viewer_id=viewer.id, everyone=True)),
        "message": request.message,
        "status": request.status,
        "requested_at": request.requested_at,
    }


def participant_row(request: BookingRequest, viewer: Viewer) -> Row:
    """A participant as their creator sees them."""
    return {
        "id": request.pk,
        "user": present_user(request.user, EmailAudience(viewer_id=viewer.id, everyone=True)),
        "role": request.role,
        "status": request.status,
        "joined_at": request.joined_at,
    }


def _base_row(session: Session, audience: EmailAudience) -> Row:
    return {
        "id": session.pk,
        "title": session.title,
        "description": session.description,
        "subject": session.subject,
        "level": session.level,
        "date": session.date,
        "duration": session.duration,
        "max_participants": session.max_participants,
        "creator": present_user(session.creator, audience),
        "status": session.status,
        "created_at": session.created_at,
        "updated_at": session.updated_at,
    }


def _requests_of(sessions: Iterable[Session], viewer: Viewer) -> dict[int, list[Values]]:
    """The requests that a viewer may see of each session, oldest first: all where they run it, else those who are
    in, and their own."""
    all_of = [session.pk for session in sessions if runs(session, viewer)]
    requests = BookingRequest.objects.filter(session__in=[session.pk for session in sessions]).filter(
        Q(status=BookingRequest.Status.APPROVED) | Q(user=viewer.user) | Q(session__in=all_of)
    )
    by_session: dict[int, list[Values]] = defaultdict(list)
    for each in requests.order_by("requested_at", "id").values(*REQUEST_VALUES):
        by_session[each["session_id"]].append(each)
    return by_session


def _own_status(requests: Iterable[Values], viewer: Viewer) -> str | None:
    return next((each["status"] for each in requests if each["user_id"] == viewer.id), None)


def _participant_rows(requests: Iterable[Values], audience: EmailAudience) -> list[Row]:
    participants = [each for each in requests if each["status"] == BookingRequest.Status.APPROVED]
    return [
        {
            "id": each["id"],
            "user": present_user_values(each, "user__", audience),
            "role": each["role"],
            "status": each["status"],
            "joined_at": each["joined_at"],
        }
        for each in sorted(participants, key=lambda each: (each["joined_at"], each["id"]))
    ]


def _booking_request_rows(
    session: Session, requests: Iterable[Values], audience: EmailAudience, viewer: Viewer
) -> list[Row]:
    sees_all = runs(session, viewer)
    return [
        {
            "id": each["id"],
            "user": present_user_values(each, "user__", audience),
            "message": each["message"],
            "status": each["status"],
            "requested_at": each["requested_at"],
        }
        for each in requests
        if sees_all or each["user_id"] == viewer.id
    ]
