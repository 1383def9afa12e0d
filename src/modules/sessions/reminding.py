"""When reminders are due: pure functions of instants and `settings.REMINDER_MINUTES`."""

from datetime import datetime, timedelta

from django.conf import settings

# How long before the start creators are reminded of pending requests.
NUDGE_BEFORE = timedelta(hours=24)


def list_reminder_times(start: datetime) -> list[tuple[datetime, int]]:
    """List when reminders of this start are due, earliest first, each with its offset in minutes before the start."""
    return sorted((start - timedelta(minutes=minutes), minutes) for minutes in set(settings.REMINDER_MINUTES))


def compute_next_reminder_at(start: datetime, *, now: datetime) -> datetime | None:
    """Return the first reminder time after `now`, or `None`. Missed reminders are not made up for."""
    return next((due for due, _ in list_reminder_times(start) if due > now), None)


def compute_nudge_at(start: datetime, *, now: datetime) -> datetime | None:
    """Return when the creator is reminded of pending requests; `None` if that time has passed."""
    due = start - NUDGE_BEFORE
    return due if due > now else None


def find_latest_due(start: datetime, *, now: datetime) -> tuple[datetime, int] | None:
    """Return the latest reminder time up to `now` with its offset in minutes; `None` once the session has started.

    A worker that was down sends only this one, not earlier ones.
    """
    if now >= start:
        return None
    passed = [due for due in list_reminder_times(start) if due[0] <= now]
    return passed[-1] if passed else None
