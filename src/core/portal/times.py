"""Instants as a moderator reads them: the clock of their own zone, and how far away that is."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from core import clock


def ago(instant: datetime) -> str:
    """How far away it is, in words: "3 hours ago", "in 2 days", "just now"."""
    now = clock.now()
    distance = instant - now
    if abs(distance) < timedelta(minutes=1):
        return "just now" if distance <= timedelta(0) else "in a moment"
    if instant < now:
        return f"{_words(instant, now)} ago"
    return f"in {_words(now, instant)}"


def lasting(duration: timedelta) -> str:
    """A length of time in at most two words and numbers: "3 hours, 20 minutes"."""
    if duration < timedelta(minutes=1):
        return "less than a minute"
    now = clock.now()
    return timesince(now - duration, now).replace("\xa0", " ")


def local(instant: datetime) -> str:
    """The date and the time in the zone that is set, as in "Mon 15 Jan 2024, 14:00"."""
    return date_format(timezone.localtime(instant), "D j M Y, H:i")


def moment(instant: datetime | None) -> SafeString | str:
    """Both of it as HTML: when, and how far away; "-" for never."""
    if instant is None:
        return "-"
    return format_html(
        '<time datetime="{}">{} <span class="portal-muted">{}</span></time>',
        instant.isoformat(timespec="seconds"),
        local(instant),
        ago(instant),
    )


def _words(earlier: datetime, later: datetime) -> str:
    return timesince(earlier, later, depth=1).replace("\xa0", " ")
