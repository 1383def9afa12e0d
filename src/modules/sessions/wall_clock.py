"""Parse dates as clients send them (docs/contract.md, "Times"): pure functions of strings, offsets and time zones."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.errors import Invalid
from core.time.zones import require_zone_name

ISO_FORMAT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?(Z|[+-]\d{2}:?[0-5]\d)?", re.IGNORECASE)
# In a query string, an unescaped `+` is decoded as a space.
LOST_PLUS = re.compile(r" (\d{2}:?\d{2})$")
# The largest offset from UTC, which is that of Kiribati.
MAX_OFFSET_MINUTES = 14 * 60
# Before `datetime.max`, so that adding offsets and durations does not overflow.
LAST_YEAR = 9990


@dataclass(frozen=True, kw_only=True)
class SentDate:
    """A date as a client sent it.

    `value` is aware if it had an offset, and naive if it is the wall clock of the sender. `offset` is then the value of
    JavaScript's `getTimezoneOffset()`: minutes to add to local time to get UTC. `zone` is an IANA name.
    """

    value: datetime
    offset: object = None
    zone: str | None = None


def parse_date(text: str) -> datetime:
    """Parse an ISO 8601 date and time, naive or in UTC, to the second. Raises `ValueError` with a sentence."""
    value = _parse_iso(text).replace(microsecond=0)
    if not 1 < value.year <= LAST_YEAR:
        raise ValueError("This date is out of range.")
    return value.astimezone(UTC) if value.tzinfo else value


def parse_bound(text: str, *, end: bool) -> datetime:
    """Parse an instant, or a day in UTC: its start, or with `end` its end. Raises `ValueError` with a sentence."""
    try:
        day = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else None
    except ValueError:
        raise ValueError("There is no such date.") from None
    if day is not None:
        return datetime.combine(day, time.max if end else time.min, UTC)
    value = _parse_iso(LOST_PLUS.sub(r"+\1", text))
    if value.tzinfo is None:
        raise ValueError("Must be a day such as 2024-01-15, or a time with Z or an offset.")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("This date is out of range.") from None


def _parse_iso(text: str) -> datetime:
    if not ISO_FORMAT.fullmatch(text.strip()):
        raise ValueError("Must be a date and time such as 2024-01-15T14:00:00Z.")
    try:
        return datetime.fromisoformat(text.strip().upper().replace(",", "."))
    except ValueError:
        raise ValueError("There is no such date.") from None


def validate_zone(name: str) -> str:
    """Return the name; raises `ValueError` if it is not an IANA time zone."""
    return require_zone_name(name, message="Must be an IANA time zone such as Europe/Berlin.")


def is_same_wall_clock(sent: SentDate, stored: datetime) -> bool:
    """Return whether a date without an offset equals the stored instant in UTC, to the minute.

    The documented client sends an unchanged date in that form.
    """
    if sent.value.tzinfo is not None:
        return False
    return sent.value.replace(second=0) == stored.astimezone(UTC).replace(second=0, microsecond=0, tzinfo=None)


def resolve_instant(sent: SentDate, *, member_zone: str, now: datetime) -> datetime:
    """Return the instant in UTC that a client means; `member_zone` is the time zone in the member's profile.

    Raises `Invalid` for `date` or `timezone_offset`.
    """
    if sent.value.tzinfo is not None:
        return sent.value
    zone = ZoneInfo(sent.zone or member_zone)
    if sent.offset is None:
        return _resolve_in_zone(sent.value, zone)
    offset = _parse_offset(sent.offset)
    # The offset is the browser's of today. If a known zone has the same one now, its rules hold for that day instead.
    if now.astimezone(zone).utcoffset() == -offset:
        return _resolve_in_zone(sent.value, zone)
    return (sent.value + offset).replace(tzinfo=UTC)


def _parse_offset(sent: object) -> timedelta:
    if isinstance(sent, float) and sent.is_integer():
        sent = int(sent)
    if not isinstance(sent, int) or isinstance(sent, bool) or abs(sent) > MAX_OFFSET_MINUTES:
        raise Invalid(
            {"timezone_offset": [f"Must be whole minutes from {-MAX_OFFSET_MINUTES} to {MAX_OFFSET_MINUTES}."]}
        )
    return timedelta(minutes=sent)


def _resolve_in_zone(local: datetime, zone: ZoneInfo) -> datetime:
    instant = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != local:
        raise Invalid({"date": [f"The clocks in {zone.key} skip this time on that day."]})
    return instant
