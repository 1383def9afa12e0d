"""Queries of the sessions that are visible to a member, and their rows in the API."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from core.accounts.models import User
from core.accounts.presentation import EmailAudience, present_user
from core.errors import NotFound
from core.text.normalization import build_search_key
from core.time import clock
from modules.sessions.events import MaterialsOfSessions
from modules.sessions.models import BookingRequest, Session
from modules.sessions.policy import Viewer, build_email_audience, build_viewer, check_joining, may_read_materials
from modules.sessions.queries.bookings import (
    build_participant_row,
    build_participant_rows,
    build_request_row,
    build_request_rows,
    load_bookings,
    load_own_requests,
)
from modules.sessions.queries.outcomes import filter_not_over

Row = dict[str, Any]
ORDERINGS = {
    "date": ("date", "id"),
    "-date": ("-date", "-id"),
    "created_at": ("created_at", "id"),
    "-created_at": ("-created_at", "-id"),
}


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Filters of a list of sessions.

    Several statuses or levels are alternatives; an empty list does not filter. The bounds are inclusive.
    """

    status: Sequence[str] = ()
    subject: str | None = None
    level: Sequence[str] = ()
    date_from: datetime | None = None
    date_to: datetime | None = None
    creator: int | None = None


def select_visible_sessions(viewer: Viewer) -> QuerySet[Session]:
    """Select the sessions that a viewer may see.

    Every member sees sessions that were approved at least once and are not hidden. Hidden ones are visible to their
    creator, their participants and moderators; those that were never approved to their creator and moderators.
    """
    if viewer.is_moderator:
        return Session.objects.all()
    joined = BookingRequest.objects.filter(user=viewer.user, status=BookingRequest.Status.APPROVED)
    return Session.objects.filter(
        Q(approved_at__isnull=False, hidden_at__isnull=True)
        | Q(creator=viewer.user)
        | Q(pk__in=joined.values("session_id"))
    )


def get_visible_session(session_id: int, viewer: Viewer) -> Session:
    """Return a session with its creator. Raises `NotFound`, also for a session that the viewer may not see."""
    session = select_visible_sessions(viewer).select_related("creator").filter(pk=session_id).first()
    if session is None:
        raise NotFound("There is no such session.")
    return session


def can_see(session: Session, person_id: int) -> bool:
    """Return whether a member may see this session now."""
    person = User.objects.filter(pk=person_id).first()
    return person is not None and select_visible_sessions(build_viewer(person)).filter(pk=session.pk).exists()


def select_filtered_sessions(viewer: Viewer, filters: Filters) -> QuerySet[Session]:
    sessions = select_visible_sessions(viewer)
    if filters.status:
        sessions = sessions.filter(status__in=filters.status)
    if filters.subject is not None:
        sessions = sessions.filter(subject_key__contains=build_search_key(filters.subject))
    if filters.level:
        sessions = sessions.filter(level__in=filters.level)
    if filters.date_from is not None:
        sessions = sessions.filter(date__gte=filters.date_from)
    if filters.date_to is not None:
        sessions = sessions.filter(date__lte=filters.date_to)
    if filters.creator is not None:
        sessions = sessions.filter(creator_id=filters.creator)
    return sessions


def select_open_sessions(member: User, now: datetime) -> QuerySet[Session]:
    """Select the member's own sessions that are not over."""
    # The condition on `moves_at` is redundant, but allows a partial index.
    return Session.objects.filter(filter_not_over(now), creator=member, moves_at__isnull=False)


def build_list_rows(sessions: QuerySet[Session], ordering: str, part: slice, viewer: Viewer) -> list[Row]:
    """Build one page of the list. Two queries, whatever its size."""
    page = list(sessions.select_related("creator").order_by(*ORDERINGS[ordering])[part])
    own = load_own_requests(page, viewer)
    now = clock.now()
    return [_build_list_row(session, own.get(session.pk), viewer, now) for session in page]


def build_created_row(session: Session, viewer: Viewer) -> Row:
    """Build the API's row of a session that was just created."""
    return _build_base_row(session, build_email_audience(session.creator_id, viewer, None))


def build_detail_row(session: Session, viewer: Viewer, origin: str) -> Row:
    return build_detail_rows([session], viewer, origin)[0]


def build_detail_rows(
    sessions: Sequence[Session], viewer: Viewer, origin: str, *, note_characters: int | None = None
) -> list[Row]:
    """Build the API's rows of sessions in full, with two queries for booking requests and one question for materials.

    URLs of files begin with `origin` (`https://host`); `note_characters` truncates notes. The sessions' creators are
    loaded.
    """
    bookings = load_bookings(sessions, viewer)
    own = {pk: booked.own_status for pk, booked in bookings.items()}
    audiences = {
        session.pk: build_email_audience(
            session.creator_id, viewer, own[session.pk], requesters=bookings[session.pk].requester_ids
        )
        for session in sessions
    }
    readable = {
        session.pk: audiences[session.pk]
        for session in sessions
        if may_read_materials(session, viewer, own[session.pk])
    }
    question = MaterialsOfSessions(audiences=readable, origin=origin, note_characters=note_characters)
    materials = question.ask() if readable else {}
    now = clock.now()
    return [
        {
            **_build_base_row(session, audiences[session.pk]),
            "participants": build_participant_rows(bookings[session.pk].participants, audiences[session.pk]),
            "materials": materials.get(session.pk, []),
            "booking_requests": build_request_rows(bookings[session.pk].requests, audiences[session.pk]),
            "is_full": session.is_full,
            "available_spots": session.available_seats,
            "participant_count": session.participant_count,
            "can_join": check_joining(session, viewer.id, own[session.pk], now) is None,
        }
        for session in sessions
    ]


def _build_list_row(session: Session, own: BookingRequest | None, viewer: Viewer, now: datetime) -> Row:
    """Build a row of the list; `own` is the viewer's booking request, if any, and the only one that is shown."""
    own_status = own.status if own else None
    is_participant = own_status == BookingRequest.Status.APPROVED
    audience = build_email_audience(session.creator_id, viewer, own_status)
    return {
        **_build_base_row(session, audience),
        "participant_count": session.participant_count,
        "is_full": session.is_full,
        "available_spots": session.available_seats,
        "can_join": check_joining(session, viewer.id, own_status, now) is None,
        "participants": [build_participant_row(own, viewer)] if own and is_participant else [],
        "materials": [],
        "booking_requests": [build_request_row(own, viewer)] if own else [],
    }


def _build_base_row(session: Session, audience: EmailAudience) -> Row:
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
