"""Moving a session along the edges of its table: by the clock, and by its creator's start, end and cancellation."""

import logging
from datetime import datetime
from typing import Literal

from django.db import transaction
from django.db.models import Q

from core import clock
from core.facts import Fact
from core.facts.publish import Changes, publish
from core.locking import locked_batch
from modules.sessions import events
from modules.sessions.models import BookingRequest, Session
from modules.sessions.reminding import next_reminder_at
from modules.sessions.services.naming import about
from modules.sessions.states import OPEN, Status, moved_by_clock

logger = logging.getLogger(__name__)


def arm_reminders(session: Session, *, now: datetime) -> None:
    """Set when its people are reminded next (the caller saves it): called whenever it opens or its start moves."""
    session.reminder_due_at = next_reminder_at(session.date, now=now) if session.status in OPEN else None


def move(session: Session, target: Status, *, now: datetime) -> Changes:
    """Set the status and what hangs on it (the caller has checked the edge, and publishes the fact).

    Returns the change for the record. Saves `decided_at` and `decided_by` too, where the caller has set them.
    """
    before, session.status = session.status, target
    session.updated_at = now
    if target == Status.APPROVED:
        session.approved_at = session.approved_at or now
        arm_reminders(session, now=now)
    elif target not in OPEN:
        session.reminder_due_at = None
    session.save(update_fields=["status", "updated_at", "approved_at", "decided_at", "decided_by", "reminder_due_at"])
    return {"status": (str(before), str(target))}


def close_requests(session: Session, *, now: datetime) -> tuple[int, ...]:
    """Reject what is still undecided; returns whose requests those were. The caller's fact tells them."""
    undecided = BookingRequest.objects.filter(session=session, status=BookingRequest.Status.PENDING)
    requester_ids = tuple(undecided.order_by("pk").values_list("user_id", flat=True))
    undecided.update(status=BookingRequest.Status.REJECTED, decided_at=now)
    return requester_ids


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


def advance_due_sessions(*, limit: int = 5000) -> int:
    """Move every session that the clock has passed; returns how many moved.

    Each is a short transaction of its own. Any number of workers may do this at once: one that another holds is
    passed over, and one that fails is left for the next round.
    """
    now = clock.now()
    started = Q(status__in=[Status.PENDING_APPROVAL, Status.APPROVED, Status.SCHEDULED], date__lte=now)
    over = Q(status=Status.ONGOING, ends_at__lte=now)
    moved = 0
    for due in (started, over):
        identifiers = list(Session.objects.filter(due).order_by("date").values_list("pk", flat=True)[:limit])
        for identifier in identifiers:
            try:
                moved += _advance(identifier, now)
            except Exception:
                logger.exception("Session %s could not be moved by the clock", identifier)
    return moved


def _advance(session_id: int, now: datetime) -> bool:
    with transaction.atomic():
        session = next(iter(locked_batch(Session.objects.filter(pk=session_id), size=1)), None)
        return session is not None and catch_up(session, now)
