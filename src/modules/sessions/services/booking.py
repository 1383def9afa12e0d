"""Making, deciding and withdrawing booking requests; leaving and removing (docs/contract.md, "Booking")."""

from datetime import datetime

from django.db import transaction

from core.accounts.models import User
from core.errors import NotFound, StateForbids
from core.facts.publish import publish
from core.time import clock
from modules.sessions import events
from modules.sessions.models import BookingRequest, Session
from modules.sessions.policy import (
    Viewer,
    build_viewer,
    check_approving_request,
    check_joining,
    explain_materials_closed,
    forbid_self_approval,
    raise_if_refused,
    require_before_start,
    require_creator,
    require_manager,
)
from modules.sessions.services import transitions
from modules.sessions.services.fact_fields import build_request_fields, build_session_fields
from modules.sessions.services.life_cycle import CALENDAR_FIELDS, increment_calendar_sequence, update_pending_count
from modules.sessions.services.locking import find_own_request, lock_session
from modules.sessions.states import Status


def request_booking(*, session_id: int, message: str, by: User) -> BookingRequest:
    """Ask to join. A request that was rejected becomes pending again. Raises `NotFound` and `StateForbids`."""
    viewer = build_viewer(by)
    with transaction.atomic():
        session = lock_session(session_id, viewer)
        booking_request = find_own_request(session, viewer)
        now = clock.now()
        own_status = booking_request.status if booking_request else None
        raise_if_refused(check_joining(session, viewer.id, own_status, now))
        booking_request = booking_request or BookingRequest(session=session)
        booking_request.user = by
        booking_request.message = message
        booking_request.requested_at = now
        booking_request.status = BookingRequest.Status.PENDING
        booking_request.decided_at = booking_request.decided_by = None
        booking_request.save()
        update_pending_count(session)
        publish(events.BookingRequested(**build_request_fields(session, booking_request), requested_at=now), by=by)
    return booking_request


def approve_request(*, session_id: int, requester_id: int, by: User) -> BookingRequest:
    """Make the requester a participant; the first one makes the session scheduled. Idempotent.

    Raises `NotFound` for the session or the booking request, `Forbidden`, and `StateForbids` if nobody can join.
    """
    viewer = build_viewer(by)
    with transaction.atomic():
        session = lock_session(session_id, viewer)
        require_manager(session, viewer)
        booking_request = _get_booking_request(session, requester_id)
        if booking_request.status == BookingRequest.Status.APPROVED:
            return booking_request
        forbid_self_approval(requester_id, viewer)
        if not booking_request.user.is_active:
            raise StateForbids("The account of this member is deactivated.")
        now = clock.now()
        raise_if_refused(check_approving_request(session, now))
        _decide(session, booking_request, BookingRequest.Status.APPROVED, viewer, now)
        _change_participant_count(session, +1)
        publish(events.BookingRequestApproved(**build_request_fields(session, booking_request)), by=by)
        if session.status == Status.APPROVED:
            transitions.schedule(session, viewer, reason="", now=now)
    return booking_request


def reject_request(*, session_id: int, requester_id: int, by: User) -> BookingRequest:
    """Reject a booking request. Idempotent.

    Raises `NotFound` for the session or the booking request, `Forbidden`, and `StateForbids` for a participant.
    """
    viewer = build_viewer(by)
    with transaction.atomic():
        session = lock_session(session_id, viewer)
        require_manager(session, viewer)
        booking_request = _get_booking_request(session, requester_id)
        if booking_request.status == BookingRequest.Status.APPROVED:
            raise StateForbids("This request is approved already: remove the participant instead.")
        if booking_request.status == BookingRequest.Status.PENDING:
            _decide(session, booking_request, BookingRequest.Status.REJECTED, viewer, clock.now())
            publish(events.BookingRequestRejected(**build_request_fields(session, booking_request)), by=by)
    return booking_request


def leave_session(*, session_id: int, by: User) -> Session:
    """Leave a session, or withdraw a pending request, before the start. Raises `NotFound` and `StateForbids`."""
    viewer = build_viewer(by)
    with transaction.atomic():
        session = lock_session(session_id, viewer)
        booking_request = find_own_request(session, viewer)
        if booking_request is None or booking_request.status == BookingRequest.Status.REJECTED:
            raise StateForbids("You are not in this session.")
        require_before_start(session, clock.now())
        release_booking(session, booking_request, by=by)
    return session


def remove_participant(*, session_id: int, participant_id: int, by: User, reason: str = "") -> None:
    """Remove a participant before the start; they may ask again.

    `participant_id` is the member's id. The member reads the reason, if there is one. Raises `NotFound` for the session
    or the participant, `Forbidden` and `StateForbids`.
    """
    viewer = build_viewer(by)
    with transaction.atomic():
        session = lock_session(session_id, viewer)
        require_manager(session, viewer)
        booking_request = _get_participant(session, participant_id)
        require_before_start(session, clock.now())
        fields = build_request_fields(session, booking_request)
        booking_request.delete()
        _change_participant_count(session, -1)
        publish(events.ParticipantRemoved(**fields), by=by, reason=reason.strip())


def change_role(*, session_id: int, participant_id: int, role: str, by: User) -> BookingRequest:
    """Make a participant a tutor, who may add materials, or a student again. `participant_id` is the member's id.

    Raises `NotFound` for the session or the participant, `Forbidden`, and `StateForbids` once nothing can be added.
    """
    viewer = build_viewer(by)
    with transaction.atomic():
        session = lock_session(session_id, viewer)
        require_creator(session, viewer)
        booking_request = _get_participant(session, participant_id)
        if booking_request.role == role:
            return booking_request
        if explain_materials_closed(session):
            raise StateForbids(f"Roles in a session that is {session.status} cannot be changed.")
        changes = {"role": (booking_request.role, role)}
        booking_request.role = role
        booking_request.save(update_fields=["role"])
        fact = events.ParticipantRoleChanged(
            **build_session_fields(session),
            member_id=booking_request.user_id,
            role="tutor" if role == "tutor" else "student",
        )
        publish(fact, by=by, changes=changes)
    return booking_request


def release_booking(session: Session, booking_request: BookingRequest, *, by: User | None, reason: str = "") -> None:
    """Delete a booking request, which frees its seat; the session is locked and has not started.

    Publishes `SeatLeft` for a participant, else `BookingRequestWithdrawn`.
    """
    was_participant = booking_request.status == BookingRequest.Status.APPROVED
    fields = build_request_fields(session, booking_request)
    booking_request.delete()
    if was_participant:
        _change_participant_count(session, -1)
        publish(events.SeatLeft(**fields), by=by, reason=reason)
    else:
        update_pending_count(session)
        publish(events.BookingRequestWithdrawn(**fields), by=by, reason=reason)


def _get_booking_request(session: Session, requester_id: int) -> BookingRequest:
    booking_request = (
        BookingRequest.objects.select_related("user").filter(session=session, user_id=requester_id).first()
    )
    if booking_request is None:
        raise NotFound("This member has not asked to join the session.")
    booking_request.session = session
    return booking_request


def _get_participant(session: Session, member_id: int) -> BookingRequest:
    participants = BookingRequest.objects.filter(session=session, status=BookingRequest.Status.APPROVED)
    booking_request = participants.select_related("user").filter(user_id=member_id).first()
    if booking_request is None:
        raise NotFound("This member is not in the session.")
    booking_request.session = session
    return booking_request


def _decide(
    session: Session, booking_request: BookingRequest, status: BookingRequest.Status, viewer: Viewer, now: datetime
) -> None:
    booking_request.status = status
    booking_request.decided_at = now
    booking_request.decided_by = viewer.user
    booking_request.joined_at = now if status == BookingRequest.Status.APPROVED else None
    booking_request.save(update_fields=["status", "decided_at", "decided_by", "joined_at"])
    update_pending_count(session)


def _change_participant_count(session: Session, step: int) -> None:
    session.participant_count += step
    increment_calendar_sequence(session)
    session.save(update_fields=["participant_count", *CALENDAR_FIELDS])
