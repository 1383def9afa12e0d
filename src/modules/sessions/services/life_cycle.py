"""Moving a session along the edges of its table: by the clock, and by its creator's start, end and cancellation."""

from datetime import datetime
from typing import Literal

from django.db.models import QuerySet

from core.facts import Fact
from core.facts.publish import Changes, publish
from core.jobs.batches import process_in_batches
from core.time import clock
from modules.sessions import events
from modules.sessions.models import BookingRequest, DecisionLease, Session
from modules.sessions.reminding import next_reminder_at, nudge_at
from modules.sessions.services.naming import about
from modules.sessions.states import NOT_TAKING_PLACE, OPEN, Status, moved_by_clock

# What `arm_reminders` and `change_in_calendars` set.
ARMED = ("reminder_due_at", "nudge_due_at")
IN_CALENDARS = ("calendar_sequence",)


def arm_reminders(session: Session, *, now: datetime) -> None:
    """Set when its people are reminded next, and its creator nudged (the caller saves both).

    Called whenever it opens, closes or its start moves.
    """
    is_open = session.status in OPEN
    session.reminder_due_at = next_reminder_at(session.date, now=now) if is_open else None
    session.nudge_due_at = nudge_at(session.date, now=now) if is_open else None


def change_in_calendars(session: Session) -> None:
    """Count that calendars have to show something else from now on, or to somebody else (the caller saves it)."""
    session.calendar_sequence += 1


def move(session: Session, target: Status, *, now: datetime) -> Changes:
    """Set the status and what hangs on it (the caller has checked the edge, and publishes the fact).

    Returns the change for the record. Saves `decided_at` and `decided_by` too, where the caller has set them.
    """
    before, session.status = session.status, target
    if before == Status.PENDING_APPROVAL:
        # Whoever has it in hand has nothing more to decide.
        DecisionLease.objects.filter(session=session).delete()
    session.updated_at = now
    if target == Status.APPROVED:
        session.approved_at = session.approved_at or now
    if target == Status.APPROVED or target not in OPEN:
        arm_reminders(session, now=now)
    if target in NOT_TAKING_PLACE:
        change_in_calendars(session)
    session.save(
        update_fields=["status", "updated_at", "approved_at", "decided_at", "decided_by", *ARMED, *IN_CALENDARS]
    )
    return {"status": (str(before), str(target))}


def close_requests(session: Session, *, now: datetime) -> tuple[int, ...]:
    """Reject what is still undecided; returns whose requests those were. The caller's fact tells them."""
    undecided = BookingRequest.objects.filter(session=session, status=BookingRequest.Status.PENDING)
    requester_ids = tuple(undecided.order_by("pk").values_list("user_id", flat=True))
    undecided.update(status=BookingRequest.Status.REJECTED, decided_at=now)
    count_waiting(session)
    return requester_ids


def count_waiting(session: Session) -> None:
    """Save how many wait for an answer now in a locked session: counted anew, since they are few, and so it is right
    whatever was changed past the services."""
    session.waiting_count = BookingRequest.objects.filter(session=session, status=BookingRequest.Status.PENDING).count()
    session.save(update_fields=["waiting_count"])


def participant_ids(session: Session) -> tuple[int, ...]:
    participants = BookingRequest.objects.filter(session=session, status=BookingRequest.Status.APPROVED)
    return tuple(participants.order_by("pk").values_list("user_id", flat=True))


def requester_ids(session: Session) -> tuple[int, ...]:
    undecided = BookingRequest.objects.filter(session=session, status=BookingRequest.Status.PENDING)
    return tuple(undecided.order_by("pk").values_list("user_id", flat=True))


def begin(session: Session, *, now: datetime) -> tuple[Fact, Changes]:
    """Scheduled to ongoing: who has not been let in by now is not."""
    changes = move(session, Status.ONGOING, now=now)
    return events.SessionStarted(**about(session), requester_ids=close_requests(session, now=now)), changes


def complete(session: Session, *, now: datetime) -> tuple[Fact, Changes]:
    """Ongoing to completed."""
    changes = move(session, Status.COMPLETED, now=now)
    return events.SessionCompleted(**about(session)), changes


def expire(session: Session, *, now: datetime) -> tuple[Fact, Changes]:
    """The start was reached undecided, or with nobody in."""
    why: Literal["undecided", "nobody_in"] = "undecided" if session.status == Status.PENDING_APPROVAL else "nobody_in"
    changes = move(session, Status.EXPIRED, now=now)
    return events.SessionExpired(**about(session), why=why, requester_ids=close_requests(session, now=now)), changes


def catch_up(session: Session, now: datetime) -> bool:
    """Take a locked session along the edges that time has passed; true if it moved."""
    steps = {Status.ONGOING: begin, Status.COMPLETED: complete, Status.EXPIRED: expire}
    moved = False
    while (target := moved_by_clock(session.moment, now)) is not None:
        fact, changes = steps[target](session, now=now)
        publish(fact, by=None, changes=changes)
        moved = True
    return moved


def due_to_move() -> "QuerySet[Session]":
    return Session.objects.filter(moves_at__lte=clock.now()).order_by("moves_at")


def advance_due_sessions(*, limit: int = 5000) -> int:
    """Move every session that the clock has passed; returns how many moved.

    Any number of workers may do this at once: each takes sessions that no other holds, in short transactions, and one
    that fails is left for the next round.
    """
    return process_in_batches(due_to_move, _advance, limit=limit)


def _advance(session: Session) -> None:
    if not catch_up(session, clock.now()):
        # Somebody has changed the row past the services: when it moves is computed anew, or it would stay due.
        session.save(update_fields=["moves_at"])
