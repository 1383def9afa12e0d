"""Asking to join, deciding, leaving (docs/contract.md, "Booking")."""

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
    """Ask to join. After a rejection the same request waits again. Raises `NotFound` and `StateForbids`."""
    viewer = build_viewer(by)
    with transaction.atomic():
        session = lock_session(session_id, viewer)
        request = find_own_request(session, viewer)
        now = clock.now()
        refusal = check_joining(session, viewer.id, request.status if request else None, now)
        if refusal is not None:
            raise refusal
        request = request or BookingRequest(session=session)
        request.user = by
        request.message = message
        request.requested_at = now
        request.status = BookingRequest.Status.PENDING
        request.decided_at = request.decided_by = None
        request.save()
        update_pending_count(session)
        publish(events.BookingRequested(**build_request_fields(session, request), requested_at=now), by=by)
    return request


def approve_request(*, session_id: int, requester_id: int, by: User) -> BookingRequest:
    """Let a requester in; the first one in settles the session. Approving twice changes nothing.

    Raises `NotFound` (the request too), `Forbidden`, and `StateForbids` where nobody can be let in.
    """
    viewer = build_viewer(by)
    with transaction.atomic():
        session = lock_session(session_id, viewer)
        require_manager(session, viewer)
        request = _get_booking_request(session, requester_id)
        if request.status == BookingRequest.Status.APPROVED:
            return request
        forbid_self_approval(requester_id, viewer)
        if not request.user.is_active:
            raise StateForbids("The account of this member is deactivated.")
        now = clock.now()
        refusal = check_approving_request(session, now)
        if refusal is not None:
            raise refusal
        _decide(session, request, BookingRequest.Status.APPROVED, viewer, now)
        _change_participant_count(session, +1)
        publish(events.BookingRequestApproved(**build_request_fields(session, request)), by=by)
        if session.status == Status.APPROVED:
            transitions.schedule(session, viewer, reason="", now=now)
    return request


def reject_request(*, session_id: int, requester_id: int, by: User) -> BookingRequest:
    """Turn a requester down. Rejecting twice changes nothing.

    Raises `NotFound` (the request too), `Forbidden`, and `StateForbids` for one who is in already.
    """
    viewer = build_viewer(by)
    with transaction.atomic():
        session = lock_session(session_id, viewer)
        require_manager(session, viewer)
        request = _get_booking_request(session, requester_id)
        if request.status == BookingRequest.Status.APPROVED:
            raise StateForbids("This request is approved already: remove the participant instead.")
        if request.status == BookingRequest.Status.PENDING:
            _decide(session, request, BookingRequest.Status.REJECTED, viewer, clock.now())
            publish(events.BookingRequestRejected(**build_request_fields(session, request)), by=by)
    return request


def leave_session(*, session_id: int, by: User) -> Session:
    """Give a place back, or withdraw a request, before the start. Raises `NotFound` and `StateForbids`."""
    viewer = build_viewer(by)
    with transaction.atomic():
        session = lock_session(session_id, viewer)
        request = find_own_request(session, viewer)
        if request is None or request.status == BookingRequest.Status.REJECTED:
            raise StateForbids("You are not in this session.")
        require_before_start(session, clock.now())
        release_booking(session, request, by=by)
    return session


def remove_participant(*, session_id: int, participant_id: int, by: User, reason: str = "") -> None:
    """Take a place away before the start; they may ask again. `participant_id` is the member's id; they read the
    reason, if there is one.

    Raises `NotFound` (for one who is not in, too), `Forbidden` and `StateForbids`.
    """
    viewer = build_viewer(by)
    with transaction.atomic():
        session = lock_session(session_id, viewer)
        require_manager(session, viewer)
        request = _get_participant(session, participant_id)
        require_before_start(session, clock.now())
        told = build_request_fields(session, request)
        request.delete()
        _change_participant_count(session, -1)
        publish(events.ParticipantRemoved(**told), by=by, reason=reason.strip())


def change_role(*, session_id: int, participant_id: int, role: str, by: User) -> BookingRequest:
    """Make a participant a tutor, who may add materials, or a student again. `participant_id` is the member's id.

    Raises `NotFound` (for one who is not in, too), `Forbidden`, and `StateForbids` once nothing can be added.
    """
    viewer = build_viewer(by)
    with transaction.atomic():
        session = lock_session(session_id, viewer)
        require_creator(session, viewer)
        request = _get_participant(session, participant_id)
        if request.role == role:
            return request
        if explain_materials_closed(session):
            raise StateForbids(f"Roles in a session that is {session.status} cannot be changed.")
        changes = {"role": (request.role, role)}
        request.role = role
        request.save(update_fields=["role"])
        fact = events.ParticipantRoleChanged(
            **build_session_fields(session), member_id=request.user_id, role="tutor" if role == "tutor" else "student"
        )
        publish(fact, by=by, changes=changes)
    return request


def release_booking(session: Session, request: BookingRequest, *, by: User | None, reason: str = "") -> None:
    """Give back the place that a request has, or withdraw it, in a session that is locked and has not started."""
    was_in = request.status == BookingRequest.Status.APPROVED
    told = build_request_fields(session, request)
    request.delete()
    if was_in:
        _change_participant_count(session, -1)
        publish(events.SeatLeft(**told), by=by, reason=reason)
    else:
        update_pending_count(session)
        publish(events.BookingRequestWithdrawn(**told), by=by, reason=reason)


def _get_booking_request(session: Session, requester_id: int) -> BookingRequest:
    request = BookingRequest.objects.select_related("user").filter(session=session, user_id=requester_id).first()
    if request is None:
        raise NotFound("This member has not asked to join the session.")
    return request


def _get_participant(session: Session, member_id: int) -> BookingRequest:
    participants = BookingRequest.objects.filter(session=session, status=BookingRequest.Status.APPROVED)
    request = participants.select_related("user").filter(user_id=member_id).first()
    if request is None:
        raise NotFound("This member is not in the session.")
    return request


def _decide(
    session: Session, request: BookingRequest, status: BookingRequest.Status, viewer: Viewer, now: datetime
) -> None:
    request.status = status
    request.decided_at = now
    request.decided_by = viewer.user
    request.joined_at = now if status == BookingRequest.Status.APPROVED else None
    request.save(update_fields=["status", "decided_at", "decided_by", "joined_at"])
    update_pending_count(session)


def _change_participant_count(session: Session, step: int) -> None:
    session.participant_count += step
    increment_calendar_sequence(session)
    session.save(update_fields=["participant_count", *CALENDAR_FIELDS])
