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
from modules.sessions.reminding import compute_next_reminder_at, compute_nudge_at
from modules.sessions.services.fact_fields import build_session_fields
from modules.sessions.states import NOT_TAKING_PLACE, OPEN, Status, find_due_transition

# What `schedule_reminders` and `increment_calendar_sequence` set.
REMINDER_FIELDS = ("reminder_due_at", "nudge_due_at")
CALENDAR_FIELDS = ("calendar_sequence",)


def schedule_reminders(session: Session, *, now: datetime) -> None:
    """Set when its people are reminded next, and its creator nudged (the caller saves both).

    Called whenever it opens, closes or its start moves.
    """
    is_open = session.status in OPEN
    session.reminder_due_at = compute_next_reminder_at(session.date, now=now) if is_open else None
    session.nudge_due_at = compute_nudge_at(session.date, now=now) if is_open else None


def increment_calendar_sequence(session: Session) -> None:
    """Count that calendars have to show something else from now on, or to somebody else (the caller saves it)."""
    session.calendar_sequence += 1


def apply_transition(session: Session, target: Status, *, now: datetime) -> Changes:
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
        schedule_reminders(session, now=now)
    if target in NOT_TAKING_PLACE:
        increment_calendar_sequence(session)
    session.save(
        update_fields=[
            "status",
            "updated_at",
            "approved_at",
            "decided_at",
            "decided_by",
            *REMINDER_FIELDS,
            *CALENDAR_FIELDS,
        ]
    )
    return {"status": (str(before), str(target))}


def reject_pending_requests(session: Session, *, now: datetime) -> tuple[int, ...]:
    """Reject what is still undecided; returns whose requests those were. The caller's fact tells them."""
    undecided = BookingRequest.objects.filter(session=session, status=BookingRequest.Status.PENDING)
    list_pending_requester_ids = tuple(undecided.order_by("pk").values_list("user_id", flat=True))
    undecided.update(status=BookingRequest.Status.REJECTED, decided_at=now)
    update_pending_count(session)
    return list_pending_requester_ids


def update_pending_count(session: Session) -> None:
    """Save how many wait for an answer now in a locked session: counted anew, since they are few, and so it is right
    whatever was changed past the services."""
    session.waiting_count = BookingRequest.objects.filter(session=session, status=BookingRequest.Status.PENDING).count()
    session.save(update_fields=["waiting_count"])


def list_participant_ids(session: Session) -> tuple[int, ...]:
    participants = BookingRequest.objects.filter(session=session, status=BookingRequest.Status.APPROVED)
    return tuple(participants.order_by("pk").values_list("user_id", flat=True))


def list_pending_requester_ids(session: Session) -> tuple[int, ...]:
    undecided = BookingRequest.objects.filter(session=session, status=BookingRequest.Status.PENDING)
    return tuple(undecided.order_by("pk").values_list("user_id", flat=True))


def apply_start(session: Session, *, now: datetime) -> tuple[Fact, Changes]:
    """Scheduled to ongoing: who has not been let in by now is not."""
    changes = apply_transition(session, Status.ONGOING, now=now)
    return events.SessionStarted(
        **build_session_fields(session), requester_ids=reject_pending_requests(session, now=now)
    ), changes


def apply_end(session: Session, *, now: datetime) -> tuple[Fact, Changes]:
    """Ongoing to completed."""
    changes = apply_transition(session, Status.COMPLETED, now=now)
    return events.SessionCompleted(**build_session_fields(session)), changes


def apply_expiry(session: Session, *, now: datetime) -> tuple[Fact, Changes]:
    """The start was reached undecided, or with nobody in."""
    why: Literal["undecided", "nobody_in"] = "undecided" if session.status == Status.PENDING_APPROVAL else "nobody_in"
    changes = apply_transition(session, Status.EXPIRED, now=now)
    return events.SessionExpired(
        **build_session_fields(session), why=why, requester_ids=reject_pending_requests(session, now=now)
    ), changes


def apply_due_transitions(session: Session, now: datetime) -> bool:
    """Take a locked session along the edges that time has passed; true if it moved."""
    steps = {Status.ONGOING: apply_start, Status.COMPLETED: apply_end, Status.EXPIRED: apply_expiry}
    moved = False
    while (target := find_due_transition(session.timed_state, now)) is not None:
        fact, changes = steps[target](session, now=now)
        publish(fact, by=None, changes=changes)
        moved = True
    return moved


def select_due_sessions() -> "QuerySet[Session]":
    return Session.objects.filter(moves_at__lte=clock.now()).order_by("moves_at")


def advance_due_sessions(*, limit: int = 5000) -> int:
    """Move every session that the clock has passed; returns how many moved.

    Any number of workers may do this at once: each takes sessions that no other holds, in short transactions, and one
    that fails is left for the next round.
    """
    return process_in_batches(select_due_sessions, _advance, limit=limit)


def _advance(session: Session) -> None:
    if not apply_due_transitions(session, clock.now()):
        # Somebody has changed the row past the services: when it moves is computed anew, or it would stay due.
        session.save(update_fields=["moves_at"])
