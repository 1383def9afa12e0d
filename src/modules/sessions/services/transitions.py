"""The edges that people take, on a session that is locked already: approve, settle, start, end, cancel."""

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
    movers,
    require_edge,
    require_moderator,
    require_reason,
    require_runs,
)
from modules.sessions.services.life_cycle import (
    begin,
    close_requests,
    complete,
    move,
    participant_ids,
)
from modules.sessions.services.naming import about
from modules.sessions.states import Mover, Status

# How early a creator may start.
EARLY = timedelta(minutes=15)


def approve(session: Session, viewer: Viewer, *, reason: str, now: datetime) -> None:
    if viewer.moderates and session.status == Status.PENDING_APPROVAL:
        require_moderator(session, viewer)
    require_edge(session, Status.APPROVED, movers(session, viewer))
    _note_decision(session, viewer, now)
    changes = move(session, Status.APPROVED, now=now)
    publish(events.SessionApproved(**about(session)), by=viewer.user, reason=reason, changes=changes)


def settle(session: Session, viewer: Viewer, *, reason: str, now: datetime) -> None:
    """Approved to scheduled: by its creator's word, or because somebody is in."""
    changes = move(session, Status.SCHEDULED, now=now)
    publish(events.SessionScheduled(**about(session)), by=viewer.user, reason=reason, changes=changes)


def settle_by_creator(session: Session, viewer: Viewer, *, reason: str, now: datetime) -> None:
    require_edge(session, Status.SCHEDULED, movers(session, viewer))
    settle(session, viewer, reason=reason, now=now)


def start(session: Session, viewer: Viewer, *, reason: str, now: datetime) -> None:
    require_runs(session, viewer)
    require_edge(session, Status.ONGOING, movers(session, viewer))
    if now < session.date - EARLY:
        raise StateForbids("A session can be started from 15 minutes before its time.")
    if session.participant_count == 0:
        raise StateForbids("Nobody is in this session: it cannot be started.")
    fact, changes = begin(session, now=now)
    publish(fact, by=viewer.user, reason=reason, changes=changes)


def end(session: Session, viewer: Viewer, *, reason: str, now: datetime) -> None:
    require_runs(session, viewer)
    require_edge(session, Status.COMPLETED, movers(session, viewer))
    fact, changes = complete(session, now=now)
    publish(fact, by=viewer.user, reason=reason, changes=changes)


def reject(session: Session, viewer: Viewer, *, reason: str, now: datetime) -> None:
    """A moderator's decision on a session that waits, also a superuser's on their own. Raises `Invalid` without a
    reason."""
    require_edge(session, Status.CANCELLED, movers(session, viewer) & {Mover.MODERATOR})
    require_reason(reason, what="rejected")
    _note_decision(session, viewer, now)
    changes = move(session, Status.CANCELLED, now=now)
    publish(events.SessionRejected(**about(session)), by=viewer.user, reason=reason, changes=changes)


def cancel(session: Session, viewer: Viewer, *, reason: str, now: datetime) -> None:
    """Call a session off; for a moderator and a session that waits, that is a rejection, which needs a reason."""
    require_runs(session, viewer)
    require_edge(session, Status.CANCELLED, movers(session, viewer))
    if is_rejection(session, viewer):
        reject(session, viewer, reason=reason, now=now)
        return
    call_off(session, by=viewer.user, reason=reason, is_reason_told=is_reason_told(session, viewer), now=now)


def call_off(session: Session, *, by: User | None, reason: str, is_reason_told: bool = True, now: datetime) -> None:
    """Cancel a session that is not over, for whoever has the right to it, and tell everybody who was to come."""
    fact = events.SessionCancelled(
        **about(session),
        participant_ids=participant_ids(session),
        requester_ids=close_requests(session, now=now),
        is_reason_told=is_reason_told,
    )
    changes = move(session, Status.CANCELLED, now=now)
    publish(fact, by=by, reason=reason, changes=changes)


Transition = Callable[..., None]
TRANSITIONS: dict[Status, Transition] = {
    Status.APPROVED: approve,
    Status.SCHEDULED: settle_by_creator,
    Status.ONGOING: start,
    Status.COMPLETED: end,
    Status.CANCELLED: cancel,
}


def take(session: Session, target: Status, viewer: Viewer, *, reason: str, now: datetime) -> None:
    """Take the session to the state that somebody asks for, if they may and there is an edge."""
    transition = TRANSITIONS.get(target)
    if transition is None:
        require_edge(session, target, movers(session, viewer))
        raise StateForbids(f"Nobody takes a session to {target}.")
    transition(session, viewer, reason=reason, now=now)


def _note_decision(session: Session, viewer: Viewer, now: datetime) -> None:
    session.decided_at = now
    session.decided_by = viewer.user
