"""Dates as clients send them (docs/contract.md, "Times"): pure functions over strings, offsets and time zones."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.errors import Invalid
from core.time.zones import require_zone_name

WRITTEN = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?(Z|[+-]\d{2}:?[0-5]\d)?", re.IGNORECASE)
# In a query string a raw `+` arrives as a space.
LOST_PLUS = re.compile(r" (\d{2}:?\d{2})$")
# As far from UTC as clocks on earth are, and a little more.
MAX_OFFSET_MINUTES = 14 * 60
# Leaves room for offsets and durations at the end of the calendar.
LAST_YEAR = 9990


@dataclass(frozen=True, kw_only=True)
class SentDate:
    """A date as a client sent it.

    `value` is aware where it came with an offset, and naive where it is the wall clock of the sender. `offset` is
    then what `getTimezoneOffset()` says: minutes to add to local time to get UTC. `zone` is an IANA name.
    """

    value: datetime
    offset: object = None
    zone: str | None = None


def parse_date(written: str) -> datetime:
    """An ISO 8601 date and time, naive or aware, to the second. Raises `ValueError` with a sentence."""
    value = _parse_iso(written).replace(microsecond=0)
    if not 1 < value.year <= LAST_YEAR:
        raise ValueError("This date is out of range.")
    return value.astimezone(UTC) if value.tzinfo else value


def parse_bound(written: str, *, end: bool) -> datetime:
    """An instant, or a plain day in UTC: its first moment, or with `end` its last. Raises `ValueError`."""
    try:
        day = date.fromisoformat(written) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", written) else None
    except ValueError:
        raise ValueError("There is no such date.") from None
    if day is not None:
        return datetime.combine(day, time.max if end else time.min, UTC)
    value = _parse_iso(LOST_PLUS.sub(r"+\1", written))
    if value.tzinfo is None:
        raise ValueError("Must be a day such as 2024-01-15, or a time with Z or an offset.")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("This date is out of range.") from None


def _parse_iso(written: str) -> datetime:
    if not WRITTEN.fullmatch(written.strip()):
        raise ValueError("Must be a date and time such as 2024-01-15T14:00:00Z.")
    try:
        return datetime.fromisoformat(written.strip().upper().replace(",", "."))
    except ValueError:
        raise ValueError("There is no such date.") from None


def validate_zone(name: str) -> str:
    """The name itself; raises `ValueError` for what is no IANA zone."""
    return require_zone_name(name, message="Must be an IANA time zone such as Europe/Berlin.")


def is_same_wall_clock(sent: SentDate, stored: datetime) -> bool:
    """Whether a date without an offset equals the stored instant in UTC, to the minute.

    The documented form sends an unchanged date like that: as it was shown, cut to the minute.
    """
    if sent.value.tzinfo is not None:
        return False
    return sent.value.replace(second=0) == stored.astimezone(UTC).replace(second=0, microsecond=0, tzinfo=None)


def resolve_instant(sent: SentDate, *, home: str, now: datetime) -> datetime:
    """The instant in UTC that a client means; `home` is the name of the member's own zone.

    Raises `Invalid` naming `date` or `timezone_offset`.
    """
    if sent.value.tzinfo is not None:
        return sent.value
    zone = ZoneInfo(sent.zone or home)
    if sent.offset is None:
        return _resolve_in_zone(sent.value, zone)
    offset = _parse_offset(sent.offset)
    # The offset is the browser's of today. Where a known zone agrees with it, the zone knows better about that day.
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
