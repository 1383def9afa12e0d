"""Calendar files, read again as calendar programs read them."""

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


def invited(event: CalendarEvent = EVENT, **attendee: str) -> bytes:
    values = {"attendee_name": "Jane Smith", "attendee_address": "jane@example.com", **attendee}
    return build_invitation(event, **values, now=NOW)


def cancelled(event: CalendarEvent = EVENT) -> bytes:
    return build_cancellation(event, attendee_name="Jane Smith", attendee_address="jane@example.com", now=NOW)


def with_link(description: str) -> str:
    """What the description reads as: the link to the session is its last line."""
    return f"{description}\n\n{EVENT.url}"


def lines(content: bytes) -> list[str]:
    """The lines of a file, put together again where they were folded, and sorted."""
    return sorted(content.decode().replace("\r\n ", "").removesuffix("\r\n").split("\r\n"))


def entry(content: bytes) -> Any:
    """The one event of a file."""
    (found,) = Calendar.from_ical(content).walk("VEVENT")
    assert not found.errors
    return found


def entry_elsewhere(content: bytes) -> Any:
    """The same, by another reader."""
    return vobject.readOne(content.decode()).vevent


def test_an_invitation_says_all_that_a_program_needs() -> None:
    assert lines(invited()) == [
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
def test_a_cancellation_takes_out_what_the_invitation_put_in(*, takes_place: bool) -> None:
    event = replace(EVENT, is_cancelled=not takes_place)
    differing = {"METHOD", "STATUS", "TRANSP"}

    found = lines(cancelled(event))

    assert {"METHOD:CANCEL", "STATUS:CANCELLED", "TRANSP:TRANSPARENT"} <= set(found)
    assert [line for line in found if line.split(":")[0] not in differing] == [
        line for line in lines(invited()) if line.split(":")[0] not in differing
    ]


def test_a_feed_tells_its_name_when_to_read_it_again_and_nobody_who_attends() -> None:
    content = build_feed(
        [
            EVENT,
            replace(EVENT, uid="second", is_tentative=True),
            replace(EVENT, uid="third", is_cancelled=True, is_tentative=True),
        ],
        name="Jane, at Peer Learning",
        now=NOW,
    )

    found = lines(content)
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


def test_a_feed_of_nothing_is_a_calendar_all_the_same() -> None:
    calendar = Calendar.from_ical(build_feed([], name="Jane", now=NOW))

    assert calendar.events == []
    # The standard lets no calendar be without any component.
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


def test_the_organizer_writes_from_the_address_of_the_service(settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "Learn Together <hello@learn.example>"

    organizer = entry(invited())["organizer"]

    assert (str(organizer), organizer.params["CN"]) == ("mailto:hello@learn.example", "John Doe")


def test_every_line_ends_as_the_standard_says_and_is_no_longer_than_75_bytes() -> None:
    event = replace(EVENT, summary="Übung 🪢 " * 25, description="Zwei Meter Seil, 🪢; zwei Hände\n" * 160)

    for content in (invited(event), cancelled(event), build_feed([event], name="🪢" * 100, now=NOW)):
        assert content.endswith(b"\r\n")
        rows = content.removesuffix(b"\r\n").split(b"\r\n")
        assert all(b"\n" not in row and b"\r" not in row for row in rows)
        assert max(len(row) for row in rows) <= 75
        for row in rows:
            # No letter is cut in two.
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
def test_texts_are_read_as_they_were_written(text: str) -> None:
    for content in (
        invited(replace(EVENT, description=text)),
        cancelled(replace(EVENT, description=text)),
        build_feed([replace(EVENT, description=text)], name="Jane", now=NOW),
    ):
        assert str(entry(content)["description"]) == with_link(text)
        assert entry_elsewhere(content).description.value == with_link(text)


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
def test_every_text_is_read_as_it_was_written(text: str) -> None:
    event = replace(EVENT, uid=text, summary=text, description=f"{text}\n{text}")

    for content in (invited(event), cancelled(event), build_feed([event], name=text, now=NOW)):
        found, elsewhere = entry(content), entry_elsewhere(content)
        assert (str(found["uid"]), str(found["summary"])) == (text, text)
        assert (elsewhere.uid.value, elsewhere.summary.value) == (text, text)
        assert str(found["description"]) == elsewhere.description.value == with_link(f"{text}\n{text}")
    # The names of a calendar are of no type that readers know: on the wire they are what the title is.
    found = {line.partition(":")[0]: line.partition(":")[2] for line in lines(content)}
    assert found["NAME"] == found["X-WR-CALNAME"] == found["SUMMARY"]


def test_on_the_wire_four_signs_are_escaped_and_no_other() -> None:
    event = replace(EVENT, summary='C:\\Notes; a, b: "c"', description="C:\\Notes\n\\n")

    found = lines(invited(event))

    assert 'SUMMARY:C:\\\\Notes\\; a\\, b: "c"' in found
    assert "DESCRIPTION:C:\\\\Notes\\n\\\\n\\n\\nhttp://localhost:3000/sessions/7" in found


@pytest.mark.parametrize(
    "name",
    ["Doe; John, Jr.: x", "O'Neil \\", "O'Neil ^n ^^ \\", "李雷", "=?utf-8?q?x?=", "🪢" * 75, "C:\\Notes", "x\\"],
)
def test_names_are_read_as_they_were_written(name: str) -> None:
    content = invited(replace(EVENT, organizer=name), attendee_name=name)

    found, elsewhere = entry(content), entry_elsewhere(content)
    for person in (found["organizer"], found["attendee"]):
        assert person.params["CN"] == name
        assert str(person).startswith("mailto:")
    for person in (elsewhere.organizer, elsewhere.attendee):
        # It does not know how a caret is escaped (RFC 6868).
        assert person.params["CN"] == [name.replace("^", "^^")]
        assert person.value.startswith("mailto:")


def test_double_quotes_in_names_become_single_ones() -> None:
    assert entry(invited(attendee_name='Jane "J" Smith'))["attendee"].params["CN"] == "Jane 'J' Smith"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\r\ntwo\rthree\nfour", "one\ntwo\nthree\nfour"),
        ("one\u2028two\u2029three\x85four\x0bfive\x0csix", "one\ntwo\nthree\nfour\nfive\nsix"),
        ("bell\x07 escape\x1b nothing\x00 delete\x7f broken\ud800", "bell escape nothing delete broken"),
    ],
)
def test_line_ends_are_of_one_kind_and_control_characters_go(text: str, shown: str) -> None:
    event = replace(EVENT, summary=text, description=text)

    found = entry(invited(event))

    assert str(found["description"]) == with_link(shown)
    assert str(found["summary"]) == shown.replace("\n", " ")


@pytest.mark.parametrize("evil", HOSTILE)
def test_no_value_can_add_a_property(evil: str) -> None:
    event = replace(EVENT, uid=evil, summary=evil, description=evil, url=evil, organizer=evil)
    honest = {line.split(":")[0].split(";")[0] for line in lines(invited())}

    for content in (
        invited(event, attendee_name=evil, attendee_address=evil),
        build_cancellation(event, attendee_name=evil, attendee_address=evil, now=NOW),
        build_feed([event], name=evil, now=NOW),
    ):
        found = entry(content)
        # By a reader that ends lines wherever Python sees an end, as by one that keeps to the standard.
        rows = content.decode().replace("\r\n ", "").splitlines()
        names = [row.split(":")[0].split(";")[0] for row in rows if row.partition(":")[0] not in {"BEGIN", "END"}]
        assert len(rows) == len(names) + 4
        allowed = honest | {"NAME", "X-WR-CALNAME", "REFRESH-INTERVAL", "X-PUBLISHED-TTL"}
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
        # What would end the address in a URI, or cannot stand in one.
        ("a?b#c%41@example.com", "a%3Fb%23c%2541@example.com"),
        ("^`{|}@example.com", "%5E%60%7B%7C%7D@example.com"),
        ('"a b"@example.com', "%22a%20b%22@example.com"),
    ],
)
def test_people_have_the_address_that_their_mail_goes_to(settings: Any, address: str, written: str) -> None:
    settings.DEFAULT_FROM_EMAIL = f"Peer Learning <{address}>"

    content = invited(attendee_address=address)

    for person in (entry(content)["attendee"], entry(content)["organizer"]):
        assert str(person) == f"mailto:{written}"
    found = entry_elsewhere(content)
    assert (found.attendee.value, found.organizer.value) == (f"mailto:{written}", f"mailto:{written}")


def test_what_does_not_take_place_says_so_in_the_title_of_a_feed_alone() -> None:
    event = replace(EVENT, is_cancelled=True)

    assert str(entry(build_feed([event], name="Jane", now=NOW))["summary"]) == "Cancelled: Knots That Hold"
    assert str(entry(cancelled(event))["summary"]) == "Knots That Hold"


def test_the_link_is_the_last_line_of_the_description() -> None:
    event = replace(EVENT, description="", url="http://localhost:3000/#/übung/7?from=a b")

    found = entry(invited(event))

    assert str(found["description"]).splitlines()[-1] == str(found["url"])
    assert str(found["url"]) == "http://localhost:3000/#/%C3%BCbung/7?from=a%20b"


def test_addresses_and_links_are_written_as_such() -> None:
    event = replace(EVENT, url="http://lernen.example/übung?a=1&b=%20#x")
    found = entry(invited(event, attendee_address='"jane \\n ü"+x@example.com'))

    assert str(found["attendee"]) == "mailto:%22jane%20%5Cn%20%C3%BC%22+x@example.com"
    assert str(found["url"]) == "http://lernen.example/%C3%BCbung?a=1&b=%20#x"


@pytest.mark.parametrize("evil", HOSTILE)
def test_no_name_can_change_who_is_invited(evil: str) -> None:
    attendee = entry(invited(attendee_name=evil))["attendee"]

    assert str(attendee) == "mailto:jane@example.com"
    assert set(attendee.params) == {"CN", "PARTSTAT", "ROLE", "RSVP"}
