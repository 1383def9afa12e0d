"""Instants as a moderator reads them: the clock of their own zone, and how far away that is."""

from datetime import UTC, datetime, time

from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.time.durations import format_relative_time


def is_beyond_time(text: str) -> bool:
    """A date, or an instant, that an offset leads out of the years 1 to 9999."""
    try:
        day, instant = parse_date(text), parse_datetime(text)
        if instant is None and day is not None:
            instant = datetime.combine(day, time.min)
        if instant is not None:
            (instant if instant.tzinfo else timezone.make_aware(instant)).astimezone(UTC)
    except OverflowError:
        return True
    except ValueError:
        return False
    return False


def format_local(instant: datetime) -> str:
    """The date and the time in the zone that is set, as in "Mon 15 Jan 2024, 14:00"."""
    return date_format(timezone.localtime(instant), "D j M Y, H:i")


def render_instant(instant: datetime | None) -> SafeString | str:
    """Both of it as HTML: when, and how far away; "-" for never."""
    if instant is None:
        return "-"
    return format_html(
        '<time datetime="{}">{} <span class="portal-muted">{}</span></time>',
        instant.isoformat(timespec="seconds"),
        format_local(instant),
        format_relative_time(instant),
    )
