"""Human-readable durations and relative times."""

from datetime import datetime, timedelta

from django.utils.timesince import timesince

from core.time import clock


def format_relative_time(instant: datetime) -> str:
    """Format the distance from now: "3 hours ago", "in 2 days", "just now"."""
    now = clock.now()
    distance = instant - now
    if abs(distance) < timedelta(minutes=1):
        return "just now" if distance <= timedelta(0) else "in a moment"
    if instant < now:
        return f"{_format_interval(instant, now)} ago"
    return f"in {_format_interval(now, instant)}"


def format_duration(duration: timedelta) -> str:
    """Format in at most two units: "3 hours, 20 minutes"."""
    if duration < timedelta(minutes=1):
        return "less than a minute"
    now = clock.now()
    return timesince(now - duration, now).replace("\xa0", " ")


def _format_interval(earlier: datetime, later: datetime) -> str:
    return timesince(earlier, later, depth=1).replace("\xa0", " ")
