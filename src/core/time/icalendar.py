"""Calendar files (RFC 5545 and 5546): what a calendar program is told of one event, and of many."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parseaddr
from urllib.parse import quote

from django.conf import settings
from django.utils.encoding import iri_to_uri
from icalendar import Calendar, Event, Parameters, Timezone, TimezoneStandard, vCalAddress, vDuration, vText

from core.text.email_addresses import normalize_address_if_valid

PRODUCT = "-//Peer Learning//Sessions//EN"
# Another one whenever the files come to say the same in another way, so that programs read them anew.
FORMAT = 2
# How often programs are asked to read a feed again. Some do it when they like.
READ_AGAIN_AFTER = timedelta(hours=1)

# All that some reader of files takes for one, not the standard alone.
_LINE_ENDS = re.compile("\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# Signs of an address that stand in a URI as they are (RFC 3986). Programs compare it with the address of their own
# account letter by letter: so only what a URI cannot hold, or what would end the address there, is written otherwise.
_SAFE_IN_MAILTO = "!$&'()*+,;=:@/"
_ESCAPED_IN_TEXT = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


class _Text(vText):
    """Text as the standard has it (RFC 5545, 3.3.11). The library takes a backslash before a capital N for a line break
    that was escaped already."""

    def to_ical(self) -> bytes:
        return self.translate(_ESCAPED_IN_TEXT).encode()


class _Parameters(Parameters):
    """Names stand in quotes, in which nothing is escaped: without them, some programs take a backslash at the end for
    one that escapes what follows."""

    always_quoted = (*Parameters.always_quoted, "CN")  # type: ignore[assignment]


@dataclass(frozen=True, kw_only=True)
class CalendarEvent:
    """One event as calendars show it. `uid` stays what it is for ever; `sequence` rises with every change of it."""

    uid: str
    sequence: int
    starts_at: datetime
    ends_at: datetime
    summary: str
    description: str
    url: str
    organizer: str
    changed_at: datetime
    is_cancelled: bool = False
    is_tentative: bool = False


def build_invitation(event: CalendarEvent, *, attendee_name: str, attendee_address: str, now: datetime) -> bytes:
    """A file for one person that puts the event into their calendar, or brings it up to date there.

    They attend already: nobody asks them for an answer.
    """
    calendar = _calendar("REQUEST")
    entry = _entry(event, status=_status(event), now=now)
    entry.add("attendee", _attendee(attendee_name, attendee_address))
    calendar.add_component(entry)
    return _written(calendar)


def build_cancellation(event: CalendarEvent, *, attendee_name: str, attendee_address: str, now: datetime) -> bytes:
    """A file for one person that takes the event out of their calendar, whether it takes place without them or not."""
    calendar = _calendar("CANCEL")
    entry = _entry(event, status="CANCELLED", now=now)
    entry.add("attendee", _attendee(attendee_name, attendee_address))
    calendar.add_component(entry)
    return _written(calendar)


def build_feed(events: Iterable[CalendarEvent], *, name: str, now: datetime) -> bytes:
    """A file that calendar programs read again and again; it names nobody who attends.

    What does not take place says so in its title, too: several programs look at no status there.
    """
    calendar = _calendar("PUBLISH")
    calendar.add("name", _Text(_line(name)))
    calendar.add("x-wr-calname", _Text(_line(name)))
    calendar.add("refresh-interval", vDuration(READ_AGAIN_AFTER), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(READ_AGAIN_AFTER))
    for event in events:
        summary = f"Cancelled: {event.summary}" if event.is_cancelled else event.summary
        calendar.add_component(_entry(replace(event, summary=summary), status=_status(event), now=now))
    if not calendar.subcomponents:
        calendar.add_component(_universal_time())
    return _written(calendar)


def estimate_max_bytes(event: CalendarEvent) -> int:
    """How many bytes an event takes in such a file, at most."""
    texts = (event.summary, event.description, event.url, event.url, event.organizer, settings.DEFAULT_FROM_EMAIL)
    written = sum(len(text.encode()) + sum(text.count(letter) for letter in "\\;,\n") for text in texts)
    # Lines are folded so that none has more than 75 bytes, in the midst of no letter; the rest is always the same.
    return written * 75 // 70 + 1000


def build_feed_etag(events: Iterable[CalendarEvent], *, name: str) -> str:
    """The ETag of such a file: the same as long as it says the same, whenever it is written. Needs no writing, which
    takes a hundred times as long."""
    said = (FORMAT, name, settings.DEFAULT_FROM_EMAIL, tuple(events))
    return f'W/"{hashlib.sha256(repr(said).encode("utf-8", "backslashreplace")).hexdigest()[:32]}"'


def _written(calendar: Calendar) -> bytes:
    content: bytes = calendar.to_ical()
    return content


def _calendar(method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    return calendar


def _entry(event: CalendarEvent, *, status: str, now: datetime) -> Event:
    entry = Event()
    url = iri_to_uri(_line(event.url))
    entry.add("uid", _Text(_line(event.uid)))
    entry.add("sequence", event.sequence)
    entry.add("dtstamp", now)
    entry.add("last-modified", event.changed_at)
    entry.add("dtstart", event.starts_at)
    entry.add("dtend", event.ends_at)
    entry.add("summary", _Text(_line(event.summary)))
    # Not every program shows the link by itself.
    entry.add("description", _Text(f"{_lines(event.description)}\n\n{url}"))
    entry.add("url", url)
    entry.add("status", status)
    entry.add("transp", "TRANSPARENT" if status == "CANCELLED" else "OPAQUE")
    # The service speaks for the organizer: a member's address is nobody's to have.
    entry.add("organizer", _person(event.organizer, parseaddr(settings.DEFAULT_FROM_EMAIL)[1]))
    return entry


def _universal_time() -> Timezone:
    """What a file holds that has no events: the standard lets none be empty."""
    nothing = timedelta(0)
    times = TimezoneStandard()
    times.add("dtstart", datetime(1970, 1, 1))  # noqa: DTZ001  (the standard wants it without a zone)
    times.add("tzoffsetfrom", nothing)
    times.add("tzoffsetto", nothing)
    zone = Timezone()
    zone.add("tzid", "Etc/UTC")
    zone.add_component(times)
    return zone


def _status(event: CalendarEvent) -> str:
    if event.is_cancelled:
        return "CANCELLED"
    return "TENTATIVE" if event.is_tentative else "CONFIRMED"


def _attendee(name: str, address: str) -> vCalAddress:
    attendee = _person(name, address)
    attendee.params["ROLE"] = "REQ-PARTICIPANT"
    attendee.params["PARTSTAT"] = "ACCEPTED"
    attendee.params["RSVP"] = "FALSE"
    return attendee


def _person(name: str, address: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{quote(normalize_address_if_valid(_line(address)), safe=_SAFE_IN_MAILTO)}")
    person.params = _Parameters()
    # A parameter has no way to hold a double quote that all programs understand.
    person.params["CN"] = _line(name).replace('"', "'")
    return person


def _line(text: str) -> str:
    """The text on one line."""
    return _lines(text).replace("\n", " ")


def _lines(text: str) -> str:
    """The text with one kind of line end and without control characters, so that no value ends where a program does
    not expect it."""
    return _CONTROLS.sub("", _LINE_ENDS.sub("\n", text))
