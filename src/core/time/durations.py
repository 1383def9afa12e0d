"""How far away an instant is, and how long something takes, in words."""

from datetime import datetime, timedelta

from django.utils.timesince import timesince

from core.time import clock


def format_relative_time(instant: datetime) -> str:
    """How far away it is, in words: "3 hours ago", "in 2 days", "just now"."""
    now = clock.now()
    distance = instant - now
    if abs(distance) < timedelta(minutes=1):
        return "just now" if distance <= timedelta(0) else "in a moment"
    if instant < now:
        return f"{_words(instant, now)} ago"
    return f"in {_words(now, instant)}"


def format_duration(duration: timedelta) -> str:
    """A length of time in at most two words and numbers: "3 hours, 20 minutes"."""
    if duration < timedelta(minutes=1):
        return "less than a minute"
    now = clock.now()
    return timesince(now - duration, now).replace("\xa0", " ")


def _words(earlier: datetime, later: datetime) -> str:
    return timesince(earlier, later, depth=1).replace("\xa0", " ")
