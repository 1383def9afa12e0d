"""Reminding the people of a session (docs/contract.md, "Reminders and life cycle")."""

import logging
import math
from datetime import datetime

from django.db import transaction

from core import clock
from core.facts.publish import publish
from core.locking import locked_batch
from modules.sessions import events
from modules.sessions.models import BookingRequest, Reminder, Session
from modules.sessions.reminding import latest_due, next_reminder_at
from modules.sessions.services.naming import about
from modules.sessions.states import OPEN

logger = logging.getLogger(__name__)


def remind_due_sessions(*, limit: int = 5000) -> int:
    """Remind the people of every session that is due; returns how many sessions were taken up.

    Each is a short transaction of its own, in which state and membership are read again under the session's lock.
    Any number of workers may do this at once.
    """
    due = Session.objects.filter(reminder_due_at__lte=clock.now(), status__in=OPEN)
    identifiers = list(due.order_by("reminder_due_at").values_list("pk", flat=True)[:limit])
    for identifier in identifiers:
        try:
            _remind(identifier)
        except Exception:
            logger.exception("The people of session %s could not be reminded", identifier)
    return len(identifiers)


def _remind(session_id: int) -> None:
    with transaction.atomic():
        now = clock.now()
        due = Session.objects.filter(pk=session_id, status__in=OPEN, reminder_due_at__lte=now)
        session = next(iter(locked_batch(due, size=1)), None)
        if session is None:
            return
        session.reminder_due_at = next_reminder_at(session.date, now=now)
        session.save(update_fields=["reminder_due_at"])
        reminder = latest_due(session.date, now=now)
        if reminder is None:
            return
        due_at, minutes_before = reminder
        person_ids = _not_yet_reminded(session, due_at, minutes_before)
        if not person_ids:
            return
        Reminder.objects.bulk_create(
            Reminder(
                session=session,
                user_id=person_id,
                minutes_before=minutes_before,
                starts_at=session.date,
                created_at=now,
            )
            for person_id in person_ids
        )
        fact = events.ReminderDue(
            **about(session),
            date=session.date,
            minutes_before=minutes_before,
            minutes_left=math.ceil((session.date - now).total_seconds() / 60),
            person_ids=person_ids,
        )
        publish(fact, by=None)


def _not_yet_reminded(session: Session, due_at: datetime, minutes_before: int) -> tuple[int, ...]:
    """The creator, and who was in when the reminder fell due; who came later gets the next one."""
    participants = BookingRequest.objects.filter(
        session=session, status=BookingRequest.Status.APPROVED, joined_at__lte=due_at
    ).values_list("user_id", flat=True)
    reminded = Reminder.objects.filter(
        session=session, minutes_before=minutes_before, starts_at=session.date
    ).values_list("user_id", flat=True)
    return tuple(sorted({session.creator_id, *participants} - set(reminded)))
