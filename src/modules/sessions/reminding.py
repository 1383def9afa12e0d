"""When people are reminded of a start: pure functions over instants and the configured offsets (minutes)."""

from datetime import datetime, timedelta

from django.conf import settings

# How long before the start a creator is asked to decide.
NUDGE_BEFORE = timedelta(hours=24)


def list_reminder_times(start: datetime) -> list[tuple[datetime, int]]:
    """The instants at which reminders of this start are due, earliest first, each with its offset in minutes."""
    return sorted((start - timedelta(minutes=minutes), minutes) for minutes in set(settings.REMINDER_MINUTES))


def compute_next_reminder_at(start: datetime, *, now: datetime) -> datetime | None:
    """The first of them that is still ahead; one that has passed is not made up for."""
    return next((due for due, _ in list_reminder_times(start) if due > now), None)


def compute_nudge_at(start: datetime, *, now: datetime) -> datetime | None:
    """When the creator is nudged, should requests still be undecided then; never once that instant has passed."""
    due = start - NUDGE_BEFORE
    return due if due > now else None


def find_latest_due(start: datetime, *, now: datetime) -> tuple[datetime, int] | None:
    """The one that a worker has to send now: the last that has passed, while the start is still ahead.

    A worker that was down sends this one alone: two reminders of one start at once help nobody.
    """
    if now >= start:
        return None
    passed = [due for due in list_reminder_times(start) if due[0] <= now]
    return passed[-1] if passed else None
