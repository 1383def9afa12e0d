"""iCalendar files, parsed by two libraries."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import vobject
from icalendar import Calendar

from core.time.icalendar import CalendarEvent, build_cancellation, build_feed, build_invitation

NOW = datetime(2024, 1, 13, 11, 0, 0, 123456, tzinfo=UTC)
START = datetime(2024, 1, 15, 19, 0, tzinfo=UTC)
EVENT = CalendarEvent(
    uid="7d3c3a52-3c62-4f0e-9b83-d6a1f4d29c11",
    sequence=3,
    starts_at=START,
    ends_at=START + timedelta(minutes=90),
    summary="Knots That Hold",
    description="Five knots for every day.",
    url="http://localhost:3000/sessions/7",
    organizer="John Doe",
    changed_at=NOW - timedelta(days=1),
)
HOSTILE = [
    "x\r\nATTENDEE:mailto:victim@example.com",
    "x\nEND:VEVENT\nBEGIN:VEVENT\nUID:evil",
    "x\rSTATUS:CANCELLED",
    "x\u2028URL:http://evil.example/\u2029",
    "x\x85METHOD:CANCEL",
    "x\x0bURL:http://evil.example/\x0c\x1c\x1d\x1e",
    'x";SENT-BY="mailto:victim@example.com',
    "x:mailto:victim@example.com",
    "x\\nATTENDEE:mailto:victim@example.com",
    "x\x00\x01\x07\x1b[31m\x7f\x9f\ud800",
    " ATTENDEE:mailto:victim@example.com",
]


def invite(event: CalendarEvent = EVENT, **attendee: str) -> bytes:
    values = {"attendee_name": "Jane Smith", "attendee_address": "jane@example.com", **attendee}
    return build_invitation(event, **values, now=NOW)


def cancel(event: CalendarEvent = EVENT) -> bytes:
    return build_cancellation(event, attendee_name="Jane Smith", attendee_address="jane@example.com", now=NOW)


def append_url(description: str) -> str:
    """The description in a file: the URL of the session is its last line."""
    return f"{description}\n\n{EVENT.url}"


def list_lines(content: bytes) -> list[str]:
    """The unfolded lines of a file, sorted."""
    return sorted(content.decode().replace("\r\n ", "").removesuffix("\r\n").split("\r\n"))


def parse_event(content: bytes) -> Any:
    """Return the only event of a file."""
    (found,) = Calendar.from_ical(content).walk("VEVENT")
    assert not found.errors
    return found


def parse_by_vobject(content: bytes) -> Any:
    """The same, parsed by another library."""
    return vobject.readOne(content.decode()).vevent


def test_an_invitation_has_all_properties_of_its_event() -> None:
    assert list_lines(invite()) == [
        'ATTENDEE;CN="Jane Smith";PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:jane@example.com',
        "BEGIN:VCALENDAR",
        "BEGIN:VEVENT",
        "CALSCALE:GREGORIAN",
        "DESCRIPTION:Five knots for every day.\\n\\nhttp://localhost:3000/sessions/7",
        "DTEND:20240115T203000Z",
        "DTSTAMP:20240113T110000Z",
        "DTSTART:20240115T190000Z",
        "END:VCALENDAR",
        "END:VEVENT",
        "LAST-MODIFIED:20240112T110000Z",
        "METHOD:REQUEST",
        'ORGANIZER;CN="John Doe":mailto:noreply@localhost',
        "PRODID:-//Peer Learning//Sessions//EN",
        "SEQUENCE:3",
        "STATUS:CONFIRMED",
        "SUMMARY:Knots That Hold",
        "TRANSP:OPAQUE",
        "UID:7d3c3a52-3c62-4f0e-9b83-d6a1f4d29c11",
        "URL:http://localhost:3000/sessions/7",
        "VERSION:2.0",
    ]


@pytest.mark.parametrize("takes_place", [True, False])
def test_a_cancellation_differs_from_the_invitation_in_its_status_only(*, takes_place: bool) -> None:
    event = replace(EVENT, is_cancelled=not takes_place)
    differing = {"METHOD", "STATUS", "TRANSP"}

    found = list_lines(cancel(event))

    assert {"METHOD:CANCEL", "STATUS:CANCELLED", "TRANSP:TRANSPARENT"} <= set(found)
    assert [line for line in found if line.split(":")[0] not in differing] == [
        line for line in list_lines(invite()) if line.split(":")[0] not in differing
    ]


def test_a_feed_has_a_name_a_refresh_interval_and_no_attendees() -> None:
    content = build_feed(
        [
            EVENT,
            replace(EVENT, uid="second", is_tentative=True),
            replace(EVENT, uid="third", is_cancelled=True, is_tentative=True),
        ],
        name="Jane, at Peer Learning",
        now=NOW,
    )

    found = list_lines(content)
    assert {
        "METHOD:PUBLISH",
        "NAME:Jane\\, at Peer Learning",
        "X-WR-CALNAME:Jane\\, at Peer Learning",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    } <= set(found)
    assert b"ATTENDEE" not in content
    events = Calendar.from_ical(content).walk("VEVENT")
    assert [(str(each["uid"]), str(each["status"]), str(each["transp"])) for each in events] == [
        (EVENT.uid, "CONFIRMED", "OPAQUE"),
        ("second", "TENTATIVE", "OPAQUE"),
        ("third", "CANCELLED", "TRANSPARENT"),
    ]


def test_a_feed_without_events_is_a_valid_calendar() -> None:
    calendar = Calendar.from_ical(build_feed([], name="Jane", now=NOW))

    assert calendar.events == []
    # The standard requires at least one component.
    (zone,) = calendar.subcomponents
    assert zone.to_ical().decode().split() == [
        "BEGIN:VTIMEZONE",
        "TZID:Etc/UTC",
        "BEGIN:STANDARD",
        "DTSTART:19700101T000000",
        "TZOFFSETFROM:+0000",
        "TZOFFSETTO:+0000",
        "END:STANDARD",
        "END:VTIMEZONE",
    ]
    assert str(calendar["x-wr-calname"]) == "Jane"


def test_the_organizer_has_the_address_of_the_service(settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "Learn Together <hello@learn.example>"

    organizer = parse_event(invite())["organizer"]

    assert (str(organizer), organizer.params["CN"]) == ("mailto:hello@learn.example", "John Doe")


def test_lines_end_in_crlf_and_are_folded_at_75_bytes() -> None:
    event = replace(EVENT, summary="Übung 🪢 " * 25, description="Zwei Meter Seil, 🪢; zwei Hände\n" * 160)

    for content in (invite(event), cancel(event), build_feed([event], name="🪢" * 100, now=NOW)):
        assert content.endswith(b"\r\n")
        rows = content.removesuffix(b"\r\n").split(b"\r\n")
        assert all(b"\n" not in row and b"\r" not in row for row in rows)
        assert max(len(row) for row in rows) <= 75
        for row in rows:
            # Fails if a character is split.
            row.decode()


@pytest.mark.parametrize(
    "text",
    [
        "Backslash \\ and \\n, comma, semicolon; colon: \"quotes\" 'and' ^carets^",
        "Emoji 👩🏽‍🏫 🇪🇺, Ελληνικά, 日本語, עברית, é e\u0301",
        "\tTabs\tstay",
        "x" * 5000,
        "🪢" * 5000,
        "\\" * 5000,
        ("0123456789" * 7 + ",;\\\n") * 65,
    ],
)
def test_descriptions_are_parsed_as_they_were_written(text: str) -> None:
    for content in (
        invite(replace(EVENT, description=text)),
        cancel(replace(EVENT, description=text)),
        build_feed([replace(EVENT, description=text)], name="Jane", now=NOW),
    ):
        assert str(parse_event(content)["description"]) == append_url(text)
        assert parse_by_vobject(content).description.value == append_url(text)


ONE_LINE = [
    "C:\\Notes",
    "C:\\notes \\N \\n \\\\N \\\\n",
    "\\; \\, \\: ;, ,; \\\\; \\\\,",
    "ends in \\",
    "ends in \\\\",
    ";,\\",
    "\\N" * 40,
    "🪢\\N;," * 30,
    "%5C %2C %3B \\%",
    "a\tb",
]


@pytest.mark.parametrize("text", ONE_LINE)
def test_texts_of_all_properties_are_parsed_as_they_were_written(text: str) -> None:
    event = replace(EVENT, uid=text, summary=text, description=f"{text}\n{text}")

    for content in (invite(event), cancel(event), build_feed([event], name=text, now=NOW)):
        found, by_vobject = parse_event(content), parse_by_vobject(content)
        assert (str(found["uid"]), str(found["summary"])) == (text, text)
        assert (by_vobject.uid.value, by_vobject.summary.value) == (text, text)
        assert str(found["description"]) == by_vobject.description.value == append_url(f"{text}\n{text}")
    # The libraries do not parse the names of a calendar: they are escaped like the summary.
    found = {line.partition(":")[0]: line.partition(":")[2] for line in list_lines(content)}
    assert found["NAME"] == found["X-WR-CALNAME"] == found["SUMMARY"]


def test_backslashes_semicolons_commas_and_line_breaks_are_escaped_and_nothing_else() -> None:
    event = replace(EVENT, summary='C:\\Notes; a, b: "c"', description="C:\\Notes\n\\n")

    found = list_lines(invite(event))

    assert 'SUMMARY:C:\\\\Notes\\; a\\, b: "c"' in found
    assert "DESCRIPTION:C:\\\\Notes\\n\\\\n\\n\\nhttp://localhost:3000/sessions/7" in found


@pytest.mark.parametrize(
    "name",
    ["Doe; John, Jr.: x", "O'Neil \\", "O'Neil ^n ^^ \\", "李雷", "=?utf-8?q?x?=", "🪢" * 75, "C:\\Notes", "x\\"],
)
def test_names_are_parsed_as_they_were_written(name: str) -> None:
    content = invite(replace(EVENT, organizer=name), attendee_name=name)

    found, by_vobject = parse_event(content), parse_by_vobject(content)
    for person in (found["organizer"], found["attendee"]):
        assert person.params["CN"] == name
        assert str(person).startswith("mailto:")
    for person in (by_vobject.organizer, by_vobject.attendee):
        # vobject does not support the escaping of carets (RFC 6868).
        assert person.params["CN"] == [name.replace("^", "^^")]
        assert person.value.startswith("mailto:")


def test_double_quotes_in_names_become_single_quotes() -> None:
    assert parse_event(invite(attendee_name='Jane "J" Smith'))["attendee"].params["CN"] == "Jane 'J' Smith"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\r\ntwo\rthree\nfour", "one\ntwo\nthree\nfour"),
        ("one\u2028two\u2029three\x85four\x0bfive\x0csix", "one\ntwo\nthree\nfour\nfive\nsix"),
        ("bell\x07 escape\x1b nothing\x00 delete\x7f broken\ud800", "bell escape nothing delete broken"),
    ],
)
def test_line_ends_are_normalized_and_control_characters_removed(text: str, shown: str) -> None:
    event = replace(EVENT, summary=text, description=text)

    found = parse_event(invite(event))

    assert str(found["description"]) == append_url(shown)
    assert str(found["summary"]) == shown.replace("\n", " ")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_value_can_inject_a_property(hostile: str) -> None:
    event = replace(EVENT, uid=hostile, summary=hostile, description=hostile, url=hostile, organizer=hostile)
    usual = {line.split(":")[0].split(";")[0] for line in list_lines(invite())}

    for content in (
        invite(event, attendee_name=hostile, attendee_address=hostile),
        build_cancellation(event, attendee_name=hostile, attendee_address=hostile, now=NOW),
        build_feed([event], name=hostile, now=NOW),
    ):
        found = parse_event(content)
        # Split at every line end that Python knows, not only at CRLF.
        rows = content.decode().replace("\r\n ", "").splitlines()
        names = [row.split(":")[0].split(";")[0] for row in rows if row.partition(":")[0] not in {"BEGIN", "END"}]
        assert len(rows) == len(names) + 4
        allowed = usual | {"NAME", "X-WR-CALNAME", "REFRESH-INTERVAL", "X-PUBLISHED-TTL"}
        assert set(names) <= allowed
        assert all(names.count(name) == 1 for name in allowed if name in names)
        assert set(found["organizer"].params) == {"CN"}
        assert str(found["organizer"]) == "mailto:noreply@localhost"


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("o'brien@example.com", "o'brien@example.com"),
        ("jane+knots@example.com", "jane+knots@example.com"),
        ("Jane.Smith@example.com", "Jane.Smith@example.com"),
        ("!$&'*+-/=_~@example.com", "!$&'*+-/=_~@example.com"),
        ("jane@fuß.example", "jane@xn--fu-hia.example"),
        # Not allowed in a URI, or with a meaning there.
        ("a?b#c%41@example.com", "a%3Fb%23c%2541@example.com"),
        ("^`{|}@example.com", "%5E%60%7B%7C%7D@example.com"),
        ('"a b"@example.com', "%22a%20b%22@example.com"),
    ],
)
def test_attendee_and_organizer_have_their_normalized_address(settings: Any, address: str, written: str) -> None:
    settings.DEFAULT_FROM_EMAIL = f"Peer Learning <{address}>"

    content = invite(attendee_address=address)

    for person in (parse_event(content)["attendee"], parse_event(content)["organizer"]):
        assert str(person) == f"mailto:{written}"
    found = parse_by_vobject(content)
    assert (found.attendee.value, found.organizer.value) == (f"mailto:{written}", f"mailto:{written}")


def test_only_a_feed_says_in_the_summary_that_an_event_is_cancelled() -> None:
    event = replace(EVENT, is_cancelled=True)

    assert str(parse_event(build_feed([event], name="Jane", now=NOW))["summary"]) == "Cancelled: Knots That Hold"
    assert str(parse_event(cancel(event))["summary"]) == "Knots That Hold"


def test_the_url_is_the_last_line_of_the_description() -> None:
    event = replace(EVENT, description="", url="http://localhost:3000/#/übung/7?from=a b")

    found = parse_event(invite(event))

    assert str(found["description"]).splitlines()[-1] == str(found["url"])
    assert str(found["url"]) == "http://localhost:3000/#/%C3%BCbung/7?from=a%20b"


def test_addresses_and_urls_are_percent_encoded() -> None:
    event = replace(EVENT, url="http://lernen.example/übung?a=1&b=%20#x")
    found = parse_event(invite(event, attendee_address='"jane \\n ü"+x@example.com'))

    assert str(found["attendee"]) == "mailto:%22jane%20%5Cn%20%C3%BC%22+x@example.com"
    assert str(found["url"]) == "http://lernen.example/%C3%BCbung?a=1&b=%20#x"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_name_cannot_change_the_address_or_parameters_of_an_attendee(hostile: str) -> None:
    attendee = parse_event(invite(attendee_name=hostile))["attendee"]

    assert str(attendee) == "mailto:jane@example.com"
    assert set(attendee.params) == {"CN", "PARTSTAT", "ROLE", "RSVP"}
