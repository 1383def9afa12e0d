"""Transitions that members ask for, on a locked session: approve, schedule, start, end, cancel.

Each checks `ALLOWED_TRANSITIONS` for the member's roles (`require_transition`), then what else the transition requires.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from core.accounts.models import User
from core.errors import StateForbids
from core.facts.publish import publish
from modules.sessions import events
from modules.sessions.models import Session
from modules.sessions.policy import (
    Viewer,
    is_reason_told,
    is_rejection,
    list_roles,
    require_manager,
    require_moderator,
    require_reason,
    require_transition,
)
from modules.sessions.services.fact_fields import build_session_fields
from modules.sessions.services.life_cycle import (
    apply_end,
    apply_start,
    apply_transition,
    list_participant_ids,
    reject_pending_requests,
)
from modules.sessions.states import Role, Status

# How many minutes before its time a creator may start a session.
EARLIEST_START_MINUTES = 15


def approve(session: Session, viewer: Viewer, *, reason: str, now: datetime) -> None:
    """Approve a session that waits for approval. Raises `Forbidden` and `StateForbids`."""
    # First, for a better message: `require_transition` would tell moderators that only a moderator may approve.
    if viewer.is_moderator and session.status == Status.PENDING_APPROVAL:
        require_moderator(session, viewer)
    require_transition(session, Status.APPROVED, list_roles(session, viewer))
    _set_decision(session, viewer, now)
    changes = apply_transition(session, Status.APPROVED, now=now)
    publish(events.SessionApproved(**build_session_fields(session)), by=viewer.user, reason=reason, changes=changes)


def schedule(session: Session, viewer: Viewer, *, reason: str, now: datetime) -> None:
    """Schedule an approved session, without checks: its first participant was approved, or its creator asked for it."""
    changes = apply_transition(session, Status.SCHEDULED, now=now)
    publish(events.SessionScheduled(**build_session_fields(session)), by=viewer.user, reason=reason, changes=changes)


def schedule_by_creator(session: Session, viewer: Viewer, *, reason: str, now: datetime) -> None:
    require_transition(session, Status.SCHEDULED, list_roles(session, viewer))
    schedule(session, viewer, reason=reason, now=now)


def start(session: Session, viewer: Viewer, *, reason: str, now: datetime) -> None:
    """Start a session that is scheduled and has participants. Raises `Forbidden` and `StateForbids`."""
    require_manager(session, viewer)
    require_transition(session, Status.ONGOING, list_roles(session, viewer))
    if now < session.date - timedelta(minutes=EARLIEST_START_MINUTES):
        raise StateForbids(f"A session can be started from {EARLIEST_START_MINUTES} minutes before its time.")
    if session.participant_count == 0:
        raise StateForbids("Nobody is in this session: it cannot be started.")
    fact, changes = apply_start(session, now=now)
    publish(fact, by=viewer.user, reason=reason, changes=changes)


def end(session: Session, viewer: Viewer, *, reason: str, now: datetime) -> None:
    require_manager(session, viewer)
    require_transition(session, Status.COMPLETED, list_roles(session, viewer))
    fact, changes = apply_end(session, now=now)
    publish(fact, by=viewer.user, reason=reason, changes=changes)


def reject(session: Session, viewer: Viewer, *, reason: str, now: datetime) -> None:
    """Reject a session that waits for approval. Raises `Forbidden`, `StateForbids`, and `Invalid` without a reason."""
    require_transition(session, Status.CANCELLED, list_roles(session, viewer) & {Role.MODERATOR})
    require_reason(reason, what="rejected")
    _set_decision(session, viewer, now)
    changes = apply_transition(session, Status.CANCELLED, now=now)
    publish(events.SessionRejected(**build_session_fields(session)), by=viewer.user, reason=reason, changes=changes)


def cancel(session: Session, viewer: Viewer, *, reason: str, now: datetime) -> None:
    """Cancel a session. A moderator rejects one that waits for approval, which needs a reason."""
    require_manager(session, viewer)
    require_transition(session, Status.CANCELLED, list_roles(session, viewer))
    if is_rejection(session, viewer):
        reject(session, viewer, reason=reason, now=now)
        return
    cancel_and_notify(session, by=viewer.user, reason=reason, is_reason_told=is_reason_told(session, viewer), now=now)


def cancel_and_notify(
    session: Session, *, by: User | None, reason: str, is_reason_told: bool = True, now: datetime
) -> None:
    """Cancel a session that is not over, without checks, and publish it with all participants and requesters."""
    fact = events.SessionCancelled(
        **build_session_fields(session),
        participant_ids=list_participant_ids(session),
        requester_ids=reject_pending_requests(session, now=now),
        is_reason_told=is_reason_told,
    )
    changes = apply_transition(session, Status.CANCELLED, now=now)
    publish(fact, by=by, reason=reason, changes=changes)


Transition = Callable[..., None]
TRANSITIONS: dict[Status, Transition] = {
    Status.APPROVED: approve,
    Status.SCHEDULED: schedule_by_creator,
    Status.ONGOING: start,
    Status.COMPLETED: end,
    Status.CANCELLED: cancel,
}


def apply_requested_transition(session: Session, target: Status, viewer: Viewer, *, reason: str, now: datetime) -> None:
    """Make the transition to a status that a client of the API asked for.

    Unlike a decision in the portal (`moderation.py`), it needs no lease and no content version. Raises `Forbidden`,
    `StateForbids` and `Invalid`.
    """
    transition = TRANSITIONS.get(target)
    if transition is None:
        require_transition(session, target, list_roles(session, viewer))
        raise StateForbids(f"Nobody takes a session to {target}.")
    transition(session, viewer, reason=reason, now=now)


def _set_decision(session: Session, viewer: Viewer, now: datetime) -> None:
    session.decided_at = now
    session.decided_by = viewer.user
