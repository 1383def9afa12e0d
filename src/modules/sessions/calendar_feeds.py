"""What calendar programs read, and who lets them (docs/contract.md, "Calendars")."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from django.core import signing
from django.db.models import QuerySet

from core.accounts.models import User
from core.database.functions import Octets
from core.errors import NotFound
from core.http.json import MOST_BYTES
from core.time import clock
from core.time.icalendar import CalendarEvent, most_bytes_of
from modules.sessions.calendars import build_calendar_event
from modules.sessions.models import BookingRequest, CalendarFeed, Session

SALT = "modules.sessions.calendar_feeds"
NAME = "Peer Learning"
# For how long sessions that are over stay in a feed.
HISTORY = timedelta(days=365)
# How many sessions a feed has at most, the latest starts before all others: nobody can offer so many that reading them
# keeps others waiting.
MAX_EVENTS = 1000
# Of what is around the events, in bytes, more than there is.
FRAME_BYTES = 10_000


def sign_token(feed: CalendarFeed) -> str:
    """What a link carries: the key and our signature, so that who reads the database cannot make one."""
    return _build_signer().sign(feed.key)


def get_feed_by_token(token: str) -> CalendarFeed:
    """The feed (with its member) that a link belongs to.

    Raises `NotFound`, always the same, for a token that is not ours, was revoked, or whose member is deactivated.
    """
    try:
        key = _build_signer().unsign(token)
    except signing.BadSignature:
        raise _build_not_found() from None
    feed = CalendarFeed.objects.select_related("user").filter(key=key, user__is_active=True).first()
    if feed is None:
        raise _build_not_found()
    return feed


def list_calendar_events(member: User) -> list[CalendarEvent]:
    """What a member offers and what they are a participant of, by its start: all that is to come, and what ended within
    the last year, the latest thousand, and no more than one answer has room for. Three queries."""
    own = _select_recent(Session.objects.filter(creator=member))
    joined = _select_recent(
        Session.objects.filter(booking_requests__user=member, booking_requests__status=BookingRequest.Status.APPROVED)
    )
    latest = sorted([*own, *joined], reverse=True)[:MAX_EVENTS]
    # What there is no room for is not even read.
    fitting = latest[: _count_fitting(octets for _, _, octets in latest)]
    sessions = Session.objects.select_related("creator").filter(pk__in=[pk for _, pk, _ in fitting])
    events = [build_calendar_event(session) for session in sessions.order_by("-date", "-pk")]
    return events[: _count_fitting(most_bytes_of(event) for event in events)][::-1]


def build_link_row(feed: CalendarFeed | None, address: str) -> dict[str, Any]:
    """A link as its member sees it; `address` is where feeds are read."""
    if feed is None:
        return {"url": None, "created_at": None, "last_used_at": None}
    return {
        "url": f"{address}?token={sign_token(feed)}",
        "created_at": feed.created_at,
        "last_used_at": feed.last_used_at,
    }


def _select_recent(sessions: "QuerySet[Session]") -> "QuerySet[Session, tuple[datetime, int, int]]":
    """The latest of these: start, id, and how many bytes the texts have."""
    lately = sessions.filter(ends_at__gte=clock.now() - HISTORY).order_by("-date", "-pk")
    return lately.values_list("date", "pk", Octets("title") + Octets("description"))[:MAX_EVENTS]


def _count_fitting(sizes: Iterable[int]) -> int:
    """How many of the first one answer has room for, by their sizes in bytes."""
    return sum(1 for total in accumulate(sizes) if total <= MOST_BYTES - FRAME_BYTES)


def _build_signer() -> signing.Signer:
    # A full stop needs no escaping in a link.
    return signing.Signer(salt=SALT, sep=".")


def _build_not_found() -> NotFound:
    return NotFound("There is no calendar here: its link was revoked, or is not complete.")
