"""iCalendar files (RFC 5545 and 5546): invitations, cancellations and feeds."""

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
# Part of the ETag of feeds: to be raised with every change of the format of files.
FORMAT_VERSION = 2
# The refresh interval that feeds ask for; some programs ignore it.
REFRESH_INTERVAL = timedelta(hours=1)

# Includes line ends that the standard does not know, but some parsers do.
_LINE_ENDS = re.compile("\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# Characters that stay unescaped in a mailto URI (RFC 3986). Programs compare the URI with the address of their account
# character by character, so that no more is escaped than necessary.
_SAFE_IN_MAILTO = "!$&'()*+,;=:@/"
_ESCAPED_IN_TEXT = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


class _Text(vText):
    """Text, escaped as in RFC 5545, 3.3.11. The library would mistake a backslash before a capital N for an escaped
    line break."""

    def to_ical(self) -> bytes:
        return self.translate(_ESCAPED_IN_TEXT).encode()


class _Parameters(Parameters):
    """Parameters with quoted names. In an unquoted one, some programs mistake a backslash at the end for an escape."""

    always_quoted = (*Parameters.always_quoted, "CN")  # type: ignore[assignment]


@dataclass(frozen=True, kw_only=True)
class CalendarEvent:
    """One event. `uid` never changes; `sequence` rises with every change of the event."""

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
    """Build a file that adds the event to the calendar of one attendee, or updates it there.

    The attendee has accepted already, and is asked for no reply.
    """
    calendar = _build_calendar("REQUEST")
    component = _build_component(event, status=_get_status(event), now=now)
    component.add("attendee", _build_attendee(attendee_name, attendee_address))
    calendar.add_component(component)
    return _serialize(calendar)


def build_cancellation(event: CalendarEvent, *, attendee_name: str, attendee_address: str, now: datetime) -> bytes:
    """Build a file that removes the event from the calendar of one attendee."""
    calendar = _build_calendar("CANCEL")
    component = _build_component(event, status="CANCELLED", now=now)
    component.add("attendee", _build_attendee(attendee_name, attendee_address))
    calendar.add_component(component)
    return _serialize(calendar)


def build_feed(events: Iterable[CalendarEvent], *, name: str, now: datetime) -> bytes:
    """Build a feed, which calendar programs poll; it contains no attendees.

    The summary of a cancelled event says so, since several programs ignore the status.
    """
    calendar = _build_calendar("PUBLISH")
    calendar.add("name", _Text(_join_lines(name)))
    calendar.add("x-wr-calname", _Text(_join_lines(name)))
    calendar.add("refresh-interval", vDuration(REFRESH_INTERVAL), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH_INTERVAL))
    for event in events:
        summary = f"Cancelled: {event.summary}" if event.is_cancelled else event.summary
        calendar.add_component(_build_component(replace(event, summary=summary), status=_get_status(event), now=now))
    if not calendar.subcomponents:
        calendar.add_component(_build_utc_timezone())
    return _serialize(calendar)


def estimate_max_bytes(event: CalendarEvent) -> int:
    """Estimate an upper bound of the bytes of an event in a feed."""
    texts = (event.summary, event.description, event.url, event.url, event.organizer, settings.DEFAULT_FROM_EMAIL)
    escaped = sum(len(text.encode()) + sum(text.count(letter) for letter in "\\;,\n") for text in texts)
    # Lines are folded at 75 bytes, never within a character; the rest of an event has a fixed size.
    return escaped * 75 // 70 + 1000


def build_feed_etag(events: Iterable[CalendarEvent], *, name: str) -> str:
    """Build the ETag of a feed from its contents, without building the feed, which takes a hundred times as long."""
    contents = (FORMAT_VERSION, name, settings.DEFAULT_FROM_EMAIL, tuple(events))
    return f'W/"{hashlib.sha256(repr(contents).encode("utf-8", "backslashreplace")).hexdigest()[:32]}"'


def _serialize(calendar: Calendar) -> bytes:
    content: bytes = calendar.to_ical()
    return content


def _build_calendar(method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    return calendar


def _build_component(event: CalendarEvent, *, status: str, now: datetime) -> Event:
    component = Event()
    url = iri_to_uri(_join_lines(event.url))
    component.add("uid", _Text(_join_lines(event.uid)))
    component.add("sequence", event.sequence)
    component.add("dtstamp", now)
    component.add("last-modified", event.changed_at)
    component.add("dtstart", event.starts_at)
    component.add("dtend", event.ends_at)
    component.add("summary", _Text(_join_lines(event.summary)))
    # Repeated in the description, since some programs do not show the URL.
    component.add("description", _Text(f"{_normalize_line_ends(event.description)}\n\n{url}"))
    component.add("url", url)
    component.add("status", status)
    component.add("transp", "TRANSPARENT" if status == "CANCELLED" else "OPAQUE")
    # With the address of the service, since the address of the creator is private.
    component.add("organizer", _build_person(event.organizer, parseaddr(settings.DEFAULT_FROM_EMAIL)[1]))
    return component


def _build_utc_timezone() -> Timezone:
    """Build the component of a file without events, since the standard requires at least one."""
    zero = timedelta(0)
    times = TimezoneStandard()
    times.add("dtstart", datetime(1970, 1, 1))  # noqa: DTZ001  (local time, as the standard requires)
    times.add("tzoffsetfrom", zero)
    times.add("tzoffsetto", zero)
    zone = Timezone()
    zone.add("tzid", "Etc/UTC")
    zone.add_component(times)
    return zone


def _get_status(event: CalendarEvent) -> str:
    if event.is_cancelled:
        return "CANCELLED"
    return "TENTATIVE" if event.is_tentative else "CONFIRMED"


def _build_attendee(name: str, address: str) -> vCalAddress:
    attendee = _build_person(name, address)
    attendee.params["ROLE"] = "REQ-PARTICIPANT"
    attendee.params["PARTSTAT"] = "ACCEPTED"
    attendee.params["RSVP"] = "FALSE"
    return attendee


def _build_person(name: str, address: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{quote(normalize_address_if_valid(_join_lines(address)), safe=_SAFE_IN_MAILTO)}")
    person.params = _Parameters()
    # There is no escape for a double quote in a parameter that all programs support.
    person.params["CN"] = _join_lines(name).replace('"', "'")
    return person


def _join_lines(text: str) -> str:
    return _normalize_line_ends(text).replace("\n", " ")


def _normalize_line_ends(text: str) -> str:
    """Convert line ends to LF and remove control characters, so that no text can inject content lines."""
    return _CONTROLS.sub("", _LINE_ENDS.sub("\n", text))
