"""Reminders of a start, and of pending requests (docs/contract.md, "Reminders and life cycle")."""

import math
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from core.facts.publish import publish
from core.jobs.batches import process_in_batches
from core.time import clock
from modules.sessions import events
from modules.sessions.models import BookingRequest, Reminder, Session
from modules.sessions.reminding import compute_next_reminder_at, find_latest_due
from modules.sessions.services.fact_fields import build_session_fields
from modules.sessions.services.life_cycle import list_pending_requester_ids
from modules.sessions.states import OPEN


def select_due_for_reminder() -> "QuerySet[Session]":
    return Session.objects.filter(reminder_due_at__lte=clock.now()).order_by("reminder_due_at")


def select_due_for_nudge() -> "QuerySet[Session]":
    return Session.objects.filter(nudge_due_at__lte=clock.now()).order_by("nudge_due_at")


def remind_due_sessions(*, limit: int = 5000) -> int:
    """Publish the reminders that are due; return how many sessions were handled.

    Status and participants are read under the session's lock. Any number of workers may run it at once.
    """
    return process_in_batches(select_due_for_reminder, _remind, limit=limit)


def reschedule_reminders(*, size: int = 500) -> int:
    """Reschedule reminders after `REMINDER_MINUTES` was changed; return how many sessions were changed.

    Reminders that are due stay due. `size` is the number of sessions that one transaction locks.
    """
    now = clock.now()
    ahead = Session.objects.filter(status__in=OPEN, date__gt=now).order_by("pk")
    misscheduled_ids = [
        pk
        for pk, start, due_at in ahead.values_list("pk", "date", "reminder_due_at")
        if _is_misscheduled(start, due_at, now=now)
    ]
    changed = 0
    for first in range(0, len(misscheduled_ids), size):
        with transaction.atomic():
            batch = Session.objects.select_for_update().filter(
                pk__in=misscheduled_ids[first : first + size], status__in=OPEN
            )
            for session in batch.order_by("pk"):
                now = clock.now()
                if _is_misscheduled(session.date, session.reminder_due_at, now=now):
                    session.reminder_due_at = compute_next_reminder_at(session.date, now=now)
                    session.save(update_fields=["reminder_due_at"])
                    changed += 1
    return changed


def nudge_creators(*, limit: int = 5000) -> int:
    """Remind creators of pending requests a day before the start, once; return how many sessions were handled."""
    return process_in_batches(select_due_for_nudge, _nudge, limit=limit)


def _is_misscheduled(start: datetime, due_at: datetime | None, *, now: datetime) -> bool:
    """Return whether the next reminder is scheduled for another time than it should be, and not due yet."""
    return (due_at is None or due_at > now) and due_at != compute_next_reminder_at(start, now=now)


def _remind(session: Session) -> None:
    now = clock.now()
    scheduled_for = session.reminder_due_at
    session.reminder_due_at = compute_next_reminder_at(session.date, now=now)
    session.save(update_fields=["reminder_due_at"])
    reminder = find_latest_due(session.date, now=now)
    if reminder is None:
        return
    due_at, minutes_before = reminder
    if scheduled_for is None or due_at < scheduled_for:
        # Its time had already passed when this start was set.
        return
    person_ids = _list_unreminded_ids(session, due_at, minutes_before)
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
        **build_session_fields(session),
        date=session.date,
        minutes_before=minutes_before,
        minutes_left=math.ceil((session.date - now).total_seconds() / 60),
        person_ids=person_ids,
    )
    publish(fact, by=None)


def _nudge(session: Session) -> None:
    session.nudge_due_at = None
    session.save(update_fields=["nudge_due_at"])
    undecided = len(list_pending_requester_ids(session))
    if undecided and session.date > clock.now():
        publish(
            events.RequestsUndecided(**build_session_fields(session), date=session.date, undecided=undecided), by=None
        )


def _list_unreminded_ids(session: Session, due_at: datetime, minutes_before: int) -> tuple[int, ...]:
    """Return the creator and those who were participants when the reminder was due, unless reminded already."""
    participants = BookingRequest.objects.filter(
        session=session, status=BookingRequest.Status.APPROVED, joined_at__lte=due_at
    ).values_list("user_id", flat=True)
    reminded = Reminder.objects.filter(
        session=session, minutes_before=minutes_before, starts_at=session.date
    ).values_list("user_id", flat=True)
    return tuple(sorted({session.creator_id, *participants} - set(reminded)))
