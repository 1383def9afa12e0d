"""Interpreting the dates that clients send ("Times" in the contract), over HTTP."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import (
    SESSIONS,
    body_of,
    error_of,
    facts,
    fields_of,
    last_fact,
    nothing_changes,
    path,
)

from modules.sessions.models import Session

WINTER = "2024-01-10T10:00:00Z"
SUMMER = "2024-07-10T10:00:00Z"


def offer(member: Any, date: Any, **others: Any) -> Any:
    """Offers a session at this date, by default without `timezone_offset`."""
    return Api(member).post(SESSIONS, body_of(**{"date": date, "timezone_offset": ...} | others))


def stored(response: Any) -> str:
    assert response.status_code == 201, response.content
    return str(response.json()["date"])


# --- Instants ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "instant"),
    [
        ("2024-01-15T14:00:00-05:00", "2024-01-15T19:00:00Z"),
        ("2024-01-15T14:00:00Z", "2024-01-15T14:00:00Z"),
        ("2024-01-15T14:00:00+00:00", "2024-01-15T14:00:00Z"),
        ("2024-01-15T14:00:00+05:45", "2024-01-15T08:15:00Z"),
        ("2024-01-15T14:00:00+14:00", "2024-01-15T00:00:00Z"),
        ("2024-01-15T14:00:00-12:00", "2024-01-16T02:00:00Z"),
        ("2024-01-15T14:00-05:00", "2024-01-15T19:00:00Z"),
        ("2024-01-15T14:00Z", "2024-01-15T14:00:00Z"),
        # What JSON.stringify makes of a JavaScript Date.
        ("2024-01-15T14:00:00.000Z", "2024-01-15T14:00:00Z"),
        ("2024-01-15T14:00:59.999Z", "2024-01-15T14:00:59Z"),
        ("2024-01-15T14:00:00.123456789-05:00", "2024-01-15T19:00:00Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("2024-12-31T23:30:00-01:00", "2025-01-01T00:30:00Z"),
    ],
)
def test_a_date_with_an_offset_is_an_instant(john: Any, sent: str, instant: str) -> None:
    assert stored(offer(john, sent)) == instant


@pytest.mark.parametrize(
    "whatever", [300, -300, 0, None, 99999, -841, 1.5, "300", "New York", True, [], {"minutes": 300}, 2**70]
)
def test_timezone_offset_is_ignored_if_the_date_has_an_offset(john: Any, whatever: Any) -> None:
    assert stored(offer(john, "2024-01-15T14:00:00-05:00", timezone_offset=whatever)) == "2024-01-15T19:00:00Z"


def test_time_zones_are_ignored_if_the_date_has_an_offset(make_member: Any) -> None:
    member = make_member(timezone="Asia/Tokyo")

    assert stored(offer(member, "2024-01-15T14:00:00-05:00", timezone="Europe/Berlin")) == "2024-01-15T19:00:00Z"


# --- Wall clocks by offset --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "offset", "instant"),
    [
        # getTimezoneOffset() is what to add to local time to get UTC: west of Greenwich it is positive.
        ("2024-01-15T14:00", 300, "2024-01-15T19:00:00Z"),
        ("2024-01-15T14:00", -300, "2024-01-15T09:00:00Z"),
        ("2024-01-15T14:00", -345, "2024-01-15T08:15:00Z"),
        ("2024-01-15T14:00", 0, "2024-01-15T14:00:00Z"),
        ("2024-01-15T14:00", 840, "2024-01-16T04:00:00Z"),
        ("2024-01-15T14:00", -840, "2024-01-15T00:00:00Z"),
        ("2024-01-15T14:00:30", 300, "2024-01-15T19:00:30Z"),
        ("2024-01-15T14:00:30.999", 300, "2024-01-15T19:00:30Z"),
        ("2024-12-31T23:30", 60, "2025-01-01T00:30:00Z"),
        ("2024-01-15T14:00", 300.0, "2024-01-15T19:00:00Z"),
    ],
)
def test_a_wall_clock_is_resolved_by_the_offset_of_the_browser(john: Any, sent: str, offset: Any, instant: str) -> None:
    assert stored(offer(john, sent, timezone_offset=offset)) == instant


@pytest.mark.parametrize("offset", [841, -841, 10**20, 300.5, "300", "", True, False, [], {}])
def test_an_offset_out_of_range_is_refused_if_it_is_used(john: Any, offset: Any) -> None:
    with nothing_changes():
        assert list(fields_of(offer(john, "2024-01-15T14:00", timezone_offset=offset))) == ["timezone_offset"]


@pytest.mark.parametrize("offset", [..., None])
def test_without_an_offset_the_zone_of_the_profile_is_used(make_member: Any, offset: Any) -> None:
    member = make_member(timezone="America/New_York")

    assert stored(offer(member, "2024-01-15T14:00", timezone_offset=offset)) == "2024-01-15T19:00:00Z"


def test_the_zone_of_a_new_member_is_utc(john: Any) -> None:
    assert stored(offer(john, "2024-01-15T14:00")) == "2024-01-15T14:00:00Z"


def test_a_zone_may_come_with_the_request_and_is_not_stored(make_member: Any) -> None:
    member = make_member(timezone="America/New_York")

    assert stored(offer(member, "2024-01-15T14:00", timezone="Asia/Kathmandu")) == "2024-01-15T08:15:00Z"
    member.refresh_from_db()
    assert member.timezone == "America/New_York"


def test_a_zone_set_in_the_profile_counts_from_then_on(john: Any) -> None:
    assert Api(john).patch("/api/auth/me/", {"timezone": "Europe/Berlin"}).status_code == 200

    assert stored(offer(john, "2024-07-15T14:00")) == "2024-07-15T12:00:00Z"


@pytest.mark.parametrize(
    "zone",
    ["Mars/Olympus", "localtime", "Factory", "", "europe/berlin", "+02:00", "../UTC", "/etc/passwd", 5, [], "\x00"],
)
def test_an_unknown_zone_is_refused_by_name(john: Any, zone: Any) -> None:
    with nothing_changes():
        assert list(fields_of(offer(john, "2024-01-15T14:00", timezone=zone))) == ["timezone"]


# --- Across a change of the clocks ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("today", "zone", "sent", "offset", "instant"),
    [
        # The browser of a New Yorker says 300 in winter; the zone knows that July has summer time.
        (WINTER, "America/New_York", "2024-07-15T14:00", 300, "2024-07-15T18:00:00Z"),
        (WINTER, "America/New_York", "2024-01-15T14:00", 300, "2024-01-15T19:00:00Z"),
        (SUMMER, "America/New_York", "2024-12-15T14:00", 240, "2024-12-15T19:00:00Z"),
        (SUMMER, "Europe/Berlin", "2024-12-15T14:00", -120, "2024-12-15T13:00:00Z"),
        (WINTER, "Australia/Sydney", "2024-07-15T14:00", -660, "2024-07-15T04:00:00Z"),
        # Where they disagree, the browser is somewhere else than the zone: the offset it is.
        (WINTER, "America/New_York", "2024-07-15T14:00", 240, "2024-07-15T18:00:00Z"),
        (WINTER, "America/New_York", "2024-07-15T14:00", -60, "2024-07-15T13:00:00Z"),
        (SUMMER, "America/New_York", "2024-12-15T14:00", 300, "2024-12-15T19:00:00Z"),
        (SUMMER, "Europe/Berlin", "2024-12-15T14:00", -60, "2024-12-15T13:00:00Z"),
        (SUMMER, "Europe/Berlin", "2024-12-15T14:00", 0, "2024-12-15T14:00:00Z"),
    ],
)
@pytest.mark.parametrize("known_from", ["profile", "request"])
def test_a_zone_that_agrees_with_the_offset_today_takes_precedence(
    *, make_member: Any, clock: Any, known_from: str, today: str, zone: str, sent: str, offset: int, instant: str
) -> None:
    clock.move_to(today, tick=False)
    member = make_member(timezone=zone if known_from == "profile" else "Asia/Kolkata")
    others = {} if known_from == "profile" else {"timezone": zone}

    assert stored(offer(member, sent, timezone_offset=offset, **others)) == instant


@pytest.mark.parametrize("offset", [300, None])
def test_a_local_time_skipped_by_dst_is_refused_by_name(make_member: Any, offset: int | None) -> None:
    member = make_member(timezone="America/New_York")

    for sent in ["2024-03-10T02:00", "2024-03-10T02:30", "2024-03-10T02:59:59"]:
        with nothing_changes():
            assert list(fields_of(offer(member, sent, timezone_offset=offset))) == ["date"]


@pytest.mark.parametrize(
    ("sent", "instant"),
    [
        ("2024-03-10T01:59", "2024-03-10T06:59:00Z"),
        ("2024-03-10T03:00", "2024-03-10T07:00:00Z"),
        # An autumn change repeats 01:00 to 02:00; meant is the earlier.
        ("2024-11-03T01:00", "2024-11-03T05:00:00Z"),
        ("2024-11-03T01:59", "2024-11-03T05:59:00Z"),
        ("2024-11-03T02:00", "2024-11-03T07:00:00Z"),
    ],
)
def test_a_local_time_repeated_by_dst_is_the_earlier(make_member: Any, sent: str, instant: str) -> None:
    member = make_member(timezone="America/New_York")

    assert stored(offer(member, sent, timezone_offset=300)) == instant


def test_no_time_is_skipped_with_an_offset_only(make_member: Any) -> None:
    member = make_member(timezone="America/New_York")

    assert stored(offer(member, "2024-03-10T02:30", timezone_offset=-60)) == "2024-03-10T01:30:00Z"


# --- The extremes of the calendar -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        "0000-01-01T00:00:00Z",
        "2024-02-30T10:00:00Z",
        "2023-02-29T10:00:00Z",
        "2024-13-01T10:00:00Z",
        "2024-01-15T24:01:00Z",
        "2024-01-15T10:60:00Z",
        "2024-01-15T10:00:00+25:00",
        "2024-01-15T10:00:00+00:60",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-14:00",
        "10000-01-01T00:00:00Z",
        "+275760-09-13T00:00:00.000Z",
        "2024-01-15",
        "14:00",
        "2024-W03-1T10:00:00Z",
        "20240115T100000Z",
        "2024-01-15T10:00:00 Europe/Berlin",
        "2024-01-15T10:00:00[UTC]",
        "Mon, 15 Jan 2024 10:00:00 GMT",
        "\u0662\u0660\u0662\u0664-01-15T10:00:00Z",
        "2024-01-15T10:00:00Z; DROP TABLE",
        "NaN",
        "Invalid Date",
    ],
)
def test_invalid_dates_are_refused_by_name(john: Any, sent: str) -> None:
    with nothing_changes():
        assert list(fields_of(offer(john, sent))) == ["date"]


@pytest.mark.parametrize("offset", [840, -840, 0, ...])
@pytest.mark.parametrize("sent", ["0001-01-01T00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59"])
def test_extreme_dates_are_refused_without_an_error(make_member: Any, sent: str, offset: Any) -> None:
    for zone in ["UTC", "Pacific/Kiritimati", "Pacific/Niue"]:
        with nothing_changes():
            error_of(offer(make_member(timezone=zone), sent, timezone_offset=offset), 400)


def test_a_wall_clock_in_the_past_gets_the_documented_error(make_member: Any) -> None:
    member = make_member(timezone="America/New_York")

    for others in [{}, {"timezone_offset": 300}]:
        # 04:59 in New York is 09:59 in UTC, a minute ago.
        response = offer(member, "2024-01-10T04:59", **others)
        assert (response.status_code, response.json()) == (400, {"error": "Session date must be in the future"})
        assert offer(member, "2024-01-10T05:01", **others).status_code == 201


# --- Editing: what a form sends back ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "others",
    [
        {},
        {"timezone_offset": 300},
        {"timezone_offset": None},
        {"timezone": "Asia/Tokyo"},
        {"timezone_offset": 300, "timezone": "America/New_York"},
    ],
)
@pytest.mark.parametrize("sent", ["2024-01-15T19:00", "2024-01-15T19:00:00", "2024-01-15T19:00:00.000"])
def test_the_stored_utc_wall_clock_is_no_change(
    make_member: Any, make_session: Any, sent: str, others: dict[str, Any]
) -> None:
    creator = make_member(timezone="America/New_York")
    session = make_session("approved", creator=creator, date="2024-01-15T19:00:00Z")

    with nothing_changes():
        response = Api(creator).put(path(session), {"date": sent, **others})

    assert response.status_code == 200
    assert response.json()["date"] == "2024-01-15T19:00:00Z"


def test_seconds_omitted_by_a_form_are_kept(john: Any, make_session: Any) -> None:
    session = make_session("approved", date="2024-01-15T19:00:42Z")

    with nothing_changes():
        response = Api(john).put(path(session), {"date": "2024-01-15T19:00", "timezone_offset": 300})

    assert response.json()["date"] == "2024-01-15T19:00:42Z"


def test_the_stored_wall_clock_is_no_change_even_if_dst_skips_it(make_member: Any, make_session: Any) -> None:
    creator = make_member(timezone="America/New_York")
    session = make_session("approved", creator=creator, date="2024-03-10T02:30:00Z")

    with nothing_changes():
        assert Api(creator).put(path(session), {"date": "2024-03-10T02:30", "timezone_offset": 300}).status_code == 200


def test_the_stored_wall_clock_with_another_change_does_not_reschedule(john: Any, make_session: Any) -> None:
    session = make_session("approved", date="2024-01-15T19:00:00Z")

    Api(john).put(path(session), {"title": "Python", "date": "2024-01-15T19:00", "timezone_offset": 300})

    session.refresh_from_db()
    assert (session.title, session.date.isoformat()) == ("Python", "2024-01-15T19:00:00+00:00")
    assert facts() == ["SessionEdited"]
    assert list(last_fact().changes) == ["title"]


@pytest.mark.parametrize(
    ("sent", "others", "instant"),
    [
        # The same wall clock with an offset is an instant like any other.
        ("2024-01-15T19:00:00-05:00", {}, "2024-01-16T00:00:00Z"),
        ("2024-01-15T19:01", {"timezone_offset": 300}, "2024-01-16T00:01:00Z"),
        ("2024-01-15T14:00", {"timezone_offset": 0}, "2024-01-15T14:00:00Z"),
        ("2024-01-15T15:00", {}, "2024-01-15T20:00:00Z"),
        ("2024-01-15T15:00", {"timezone": "Europe/Berlin"}, "2024-01-15T14:00:00Z"),
        ("2024-07-15T15:00", {"timezone_offset": 300}, "2024-07-15T19:00:00Z"),
    ],
)
def test_any_other_wall_clock_is_resolved_as_for_a_new_session(
    make_member: Any, make_session: Any, sent: str, others: dict[str, Any], instant: str
) -> None:
    creator = make_member(timezone="America/New_York")
    session = make_session("approved", creator=creator, date="2024-01-15T19:00:00Z")

    assert Api(creator).put(path(session), {"date": sent, **others}).json()["date"] == instant


def test_the_same_instant_in_another_notation_is_no_change(make_member: Any, make_session: Any) -> None:
    creator = make_member(timezone="America/New_York")
    session = make_session("approved", creator=creator, date="2024-01-15T19:00:00Z")

    for sent in ["2024-01-15T19:00:00Z", "2024-01-15T14:00:00-05:00", "2024-01-15T14:00", "2024-01-15T19:00:00.9Z"]:
        with nothing_changes():
            assert Api(creator).put(path(session), {"date": sent, "timezone_offset": 300}).status_code == 200


def test_a_session_can_only_be_rescheduled_to_the_future(john: Any, make_session: Any) -> None:
    session = make_session("approved")

    with nothing_changes():
        response = Api(john).put(path(session), {"date": "2024-01-10T10:00:00Z", "title": "Python"})

    assert (response.status_code, response.json()) == (400, {"error": "Session date must be in the future"})


def test_an_unchanged_past_date_is_accepted(john: Any, make_session: Any) -> None:
    session = make_session("ongoing")
    shown = Api(john).get(path(session)).json()["date"]
    assert shown == "2024-01-10T09:30:00Z"

    for sent in [shown, "2024-01-10T09:30"]:
        response = Api(john).put(path(session), {"date": sent, "timezone_offset": 300, "title": f"Title {sent}"})
        assert response.status_code == 200
    assert Session.objects.get().date.isoformat() == "2024-01-10T09:30:00+00:00"


@pytest.mark.parametrize("value", [None, "", "soon", 5, "2024-01-15", [], "\x00"])
def test_invalid_dates_are_refused_when_editing_too(john: Any, make_session: Any, value: Any) -> None:
    session = make_session("approved")

    with nothing_changes():
        assert list(fields_of(Api(john).put(path(session), {"date": value}))) == ["date"]


def test_an_offset_without_a_date_changes_nothing(john: Any, make_session: Any) -> None:
    session = make_session("approved")

    with nothing_changes():
        response = Api(john).put(path(session), {"timezone_offset": 300, "timezone": "America/New_York"})

    assert response.status_code == 200
