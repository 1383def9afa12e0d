"""Formatting of instants in the viewer's time zone, and checks of instants in URLs."""

from datetime import UTC, datetime, time

from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.time.durations import format_relative_time


def is_out_of_range(text: str) -> bool:
    """Whether the text is a date or instant that lies outside the years 1 to 9999 in UTC."""
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
    """Format date and time in the current time zone: "Mon 15 Jan 2024, 14:00"."""
    return date_format(timezone.localtime(instant), "D j M Y, H:i")


def render_instant(instant: datetime | None) -> SafeString | str:
    """Render an instant as HTML, in the current time zone and relative to now; "-" for `None`."""
    if instant is None:
        return "-"
    return format_html(
        '<time datetime="{}">{} <span class="portal-muted">{}</span></time>',
        instant.isoformat(timespec="seconds"),
        format_local(instant),
        format_relative_time(instant),
    )
