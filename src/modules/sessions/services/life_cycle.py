"""Applying transitions to a locked session, with everything that depends on them; transitions that are due by time.

Nothing here checks permissions: `transitions.py` does for transitions that members ask for.
"""

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
    """Set `REMINDER_FIELDS` for the current status and start; the caller saves them.

    Call it whenever a session opens, closes or is rescheduled.
    """
    is_open = session.status in OPEN
    session.reminder_due_at = compute_next_reminder_at(session.date, now=now) if is_open else None
    session.nudge_due_at = compute_nudge_at(session.date, now=now) if is_open else None


def increment_calendar_sequence(session: Session) -> None:
    """Increment SEQUENCE, since the event or its attendees change; the caller saves `CALENDAR_FIELDS`."""
    session.calendar_sequence += 1


def apply_transition(session: Session, target: Status, *, now: datetime) -> Changes:
    """Set and save the status and all fields that depend on it; return the change for the record of facts.

    The caller has checked the transition and publishes the fact. `decided_at` and `decided_by` are saved as they are.
    """
    before, session.status = session.status, target
    if before == Status.PENDING_APPROVAL:
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
    """Reject all pending requests; return the ids of their members, for the caller's fact."""
    pending = BookingRequest.objects.filter(session=session, status=BookingRequest.Status.PENDING)
    requester_ids = tuple(pending.order_by("pk").values_list("user_id", flat=True))
    pending.update(status=BookingRequest.Status.REJECTED, decided_at=now)
    update_pending_count(session)
    return requester_ids


def update_pending_count(session: Session) -> None:
    """Recount the pending requests of a locked session and save the number."""
    session.waiting_count = BookingRequest.objects.filter(session=session, status=BookingRequest.Status.PENDING).count()
    session.save(update_fields=["waiting_count"])


def list_participant_ids(session: Session) -> tuple[int, ...]:
    participants = BookingRequest.objects.filter(session=session, status=BookingRequest.Status.APPROVED)
    return tuple(participants.order_by("pk").values_list("user_id", flat=True))


def list_pending_requester_ids(session: Session) -> tuple[int, ...]:
    pending = BookingRequest.objects.filter(session=session, status=BookingRequest.Status.PENDING)
    return tuple(pending.order_by("pk").values_list("user_id", flat=True))


def apply_start(session: Session, *, now: datetime) -> tuple[Fact, Changes]:
    """Scheduled to ongoing; rejects all pending requests. Returns the fact to publish."""
    changes = apply_transition(session, Status.ONGOING, now=now)
    return events.SessionStarted(
        **build_session_fields(session), requester_ids=reject_pending_requests(session, now=now)
    ), changes


def apply_end(session: Session, *, now: datetime) -> tuple[Fact, Changes]:
    """Ongoing to completed. Returns the fact to publish."""
    changes = apply_transition(session, Status.COMPLETED, now=now)
    return events.SessionCompleted(**build_session_fields(session)), changes


def apply_expiry(session: Session, *, now: datetime) -> tuple[Fact, Changes]:
    """To expired: the start was reached without a decision, or without participants. Returns the fact to publish."""
    why: Literal["undecided", "nobody_in"] = "undecided" if session.status == Status.PENDING_APPROVAL else "nobody_in"
    changes = apply_transition(session, Status.EXPIRED, now=now)
    return events.SessionExpired(
        **build_session_fields(session), why=why, requester_ids=reject_pending_requests(session, now=now)
    ), changes


def apply_due_transitions(session: Session, now: datetime) -> bool:
    """Apply and publish all transitions of a locked session that are due by time; return whether there were any."""
    steps = {Status.ONGOING: apply_start, Status.COMPLETED: apply_end, Status.EXPIRED: apply_expiry}
    applied = False
    while (target := find_due_transition(session.timed_state, now)) is not None:
        fact, changes = steps[target](session, now=now)
        publish(fact, by=None, changes=changes)
        applied = True
    return applied


def select_due_sessions() -> "QuerySet[Session]":
    return Session.objects.filter(moves_at__lte=clock.now()).order_by("moves_at")


def advance_due_sessions(*, limit: int = 5000) -> int:
    """Apply all transitions that are due by time; return how many sessions were handled.

    Any number of workers may run it at once: each locks sessions that no other has locked, in short transactions. A
    session that fails is left for the next run.
    """
    return process_in_batches(select_due_sessions, _advance, limit=limit)


def _advance(session: Session) -> None:
    if not apply_due_transitions(session, clock.now()):
        # The row was changed without the services: recompute `moves_at`, or the session would stay due.
        session.save(update_fields=["moves_at"])
