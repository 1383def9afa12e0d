"""The functions that parse dates, for cases that HTTP responses do not distinguish."""

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Invalid
from modules.sessions.wall_clock import SentDate, is_same_wall_clock, parse_bound, parse_date, resolve_instant

NOW = datetime(2024, 1, 10, 10, tzinfo=UTC)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2024-01-15T14:00:00Z", utc(2024, 1, 15, 14)),
        ("2024-01-15t14:00:00z", utc(2024, 1, 15, 14)),
        ("2024-01-15 14:00:00Z", utc(2024, 1, 15, 14)),
        (" 2024-01-15T14:00:00Z\n", utc(2024, 1, 15, 14)),
        ("2024-01-15T14:00:00-0500", utc(2024, 1, 15, 19)),
        ("2024-01-15T14:00:00,5Z", utc(2024, 1, 15, 14)),
        ("2024-01-15T14:00", datetime(2024, 1, 15, 14)),  # noqa: DTZ001
    ],
)
def test_a_date_is_aware_only_with_an_offset(written: str, value: datetime) -> None:
    parsed = parse_date(written)

    assert parsed == value
    assert (parsed.tzinfo is None) is (value.tzinfo is None)


@pytest.mark.parametrize(
    ("zone", "hours"),
    [("Pacific/Kiritimati", 14), ("Pacific/Niue", -11), ("Asia/Kathmandu", 5.75), ("Australia/Lord_Howe", 11)],
)
def test_a_zone_gives_the_offset_of_that_day(zone: str, hours: float) -> None:
    local = datetime(2024, 1, 15, 14)  # noqa: DTZ001

    instant = resolve_instant(SentDate(value=local), member_zone=zone, now=NOW)

    assert instant == (local - timedelta(hours=hours)).replace(tzinfo=UTC)
    assert instant.utcoffset() == timedelta(0)


@pytest.mark.parametrize("seconds", [1, 59, 1799])
def test_a_half_hour_skipped_by_dst_is_refused_exactly(seconds: int) -> None:
    # Lord Howe Island moves its clocks by 30 minutes, at 02:00 on the first Sunday in October.
    skipped = datetime(2024, 10, 6, 2) + timedelta(seconds=seconds)  # noqa: DTZ001

    with pytest.raises(Invalid) as raised:
        resolve_instant(SentDate(value=skipped), member_zone="Australia/Lord_Howe", now=NOW)
    assert list(raised.value.fields) == ["date"]

    after = resolve_instant(SentDate(value=datetime(2024, 10, 6, 2, 30)), member_zone="Australia/Lord_Howe", now=NOW)  # noqa: DTZ001
    assert after == utc(2024, 10, 5, 15, 30)


def test_a_day_skipped_by_a_zone_is_refused() -> None:
    # Samoa had no 30 December 2011.
    with pytest.raises(Invalid):
        resolve_instant(SentDate(value=datetime(2011, 12, 30, 12)), member_zone="Pacific/Apia", now=NOW)  # noqa: DTZ001


def test_the_offset_is_compared_with_the_zones_present_offset() -> None:
    july = SentDate(value=datetime(2024, 7, 15, 14), offset=300)  # noqa: DTZ001

    assert resolve_instant(july, member_zone="America/New_York", now=NOW) == utc(2024, 7, 15, 18)
    # In July New York is at 240, so that this browser stands elsewhere (in Lima, say).
    assert resolve_instant(july, member_zone="America/New_York", now=utc(2024, 7, 1)) == utc(2024, 7, 15, 19)


def test_the_zone_of_the_request_takes_precedence_over_the_members() -> None:
    sent = SentDate(value=datetime(2024, 7, 15, 14), offset=300, zone="America/Lima")  # noqa: DTZ001

    assert resolve_instant(sent, member_zone="America/New_York", now=NOW) == utc(2024, 7, 15, 19)


@pytest.mark.parametrize(
    ("sent", "same"),
    [
        (datetime(2024, 1, 15, 19, 0), True),  # noqa: DTZ001
        (datetime(2024, 1, 15, 19, 0, 59), True),  # noqa: DTZ001
        (datetime(2024, 1, 15, 19, 1), False),  # noqa: DTZ001
        (datetime(2024, 1, 15, 14, 0), False),  # noqa: DTZ001
        (utc(2024, 1, 15, 19), False),
    ],
)
def test_wall_clocks_are_compared_to_the_minute(sent: datetime, same: bool) -> None:
    assert is_same_wall_clock(SentDate(value=sent), utc(2024, 1, 15, 19, 0, 30)) is same


@pytest.mark.parametrize(
    ("written", "end", "bound"),
    [
        ("2024-01-15", False, utc(2024, 1, 15)),
        ("2024-01-15", True, utc(2024, 1, 15, 23, 59, 59, 999999)),
        ("2024-01-15T14:00:00Z", False, utc(2024, 1, 15, 14)),
        ("2024-01-15T14:00:00Z", True, utc(2024, 1, 15, 14)),
        ("2024-01-15T14:00:00 05:00", True, utc(2024, 1, 15, 9)),
        ("2024-01-15T14:00:00 0530", True, utc(2024, 1, 15, 8, 30)),
        ("2024-01-15T14:00 05:00", False, utc(2024, 1, 15, 9)),
        ("2024-01-15 14:00:00 05:00", False, utc(2024, 1, 15, 9)),
        ("2024-01-15T14:00:00.5Z", False, utc(2024, 1, 15, 14, 0, 0, 500000)),
        ("0001-01-01", False, utc(1, 1, 1)),
        ("0001-01-01T00:00:00Z", False, utc(1, 1, 1)),
        ("9999-12-31T23:59:59Z", True, utc(9999, 12, 31, 23, 59, 59)),
        ("9999-12-31", True, utc(9999, 12, 31, 23, 59, 59, 999999)),
    ],
)
def test_a_bound_is_an_instant_or_a_whole_day(written: str, end: bool, bound: datetime) -> None:
    assert parse_bound(written, end=end) == bound


@pytest.mark.parametrize(
    "written",
    [
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "",
        "2024",
        "2024-02-30",
        "2024-01-15T14:00",
        "2024-01-15 14:00",
        "tomorrow",
        "2024-01-15T14:00:00  05:00",
    ],
)
def test_other_values_are_no_bounds(written: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        parse_bound(written, end=False)
