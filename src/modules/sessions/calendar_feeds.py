"""Calendar feeds: their tokens and their events (docs/contract.md, "Calendars")."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from django.core import signing
from django.db.models import QuerySet

from core.accounts.models import User
from core.database.functions import Octets
from core.errors import NotFound
from core.http.json import MAX_RESPONSE_BYTES
from core.time import clock
from core.time.icalendar import CalendarEvent, estimate_max_bytes
from modules.sessions.calendars import build_calendar_event
from modules.sessions.models import BookingRequest, CalendarFeed, Session

SALT = "modules.sessions.calendar_feeds"
NAME = "Peer Learning"
# How long sessions stay in a feed after their end.
HISTORY = timedelta(days=365)
# The latest starts come first. Bounds the time that a request takes, however many sessions a member offers.
MAX_EVENTS = 1000
# An upper bound for the size of a feed without its events.
FRAME_BYTES = 10_000


def sign_token(feed: CalendarFeed) -> str:
    """Return the token of a link: the key with a signature, so that a leaked database does not reveal tokens."""
    return _build_signer().sign(feed.key)


def get_feed_by_token(token: str) -> CalendarFeed:
    """Return the feed of a token, with its member.

    Raises the same `NotFound` for a token that is invalid or revoked, and for a deactivated member.
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
    """List the events of the sessions that a member offers or attends, by start. Three queries.

    Without those that ended more than `HISTORY` ago; the latest `MAX_EVENTS`, and no more than fit into one response.
    """
    own = _select_recent(Session.objects.filter(creator=member))
    joined = _select_recent(
        Session.objects.filter(booking_requests__user=member, booking_requests__status=BookingRequest.Status.APPROVED)
    )
    latest = sorted([*own, *joined], reverse=True)[:MAX_EVENTS]
    # By a lower bound of their size: sessions that cannot fit are not loaded.
    fitting = latest[: _count_fitting(octets for _, _, octets in latest)]
    sessions = Session.objects.select_related("creator").filter(pk__in=[pk for _, pk, _ in fitting])
    events = [build_calendar_event(session) for session in sessions.order_by("-date", "-pk")]
    return events[: _count_fitting(estimate_max_bytes(event) for event in events)][::-1]


def build_link_row(feed: CalendarFeed | None, url: str) -> dict[str, Any]:
    """Build the API's row of a link; `url` is that of feeds, without a token."""
    if feed is None:
        return {"url": None, "created_at": None, "last_used_at": None}
    return {
        "url": f"{url}?token={sign_token(feed)}",
        "created_at": feed.created_at,
        "last_used_at": feed.last_used_at,
    }


def _select_recent(sessions: "QuerySet[Session]") -> "QuerySet[Session, tuple[datetime, int, int]]":
    """The latest of these sessions: start, id, and the size of the texts in bytes."""
    recent = sessions.filter(ends_at__gte=clock.now() - HISTORY).order_by("-date", "-pk")
    return recent.values_list("date", "pk", Octets("title") + Octets("description"))[:MAX_EVENTS]


def _count_fitting(sizes: Iterable[int]) -> int:
    """Return how many of the first items fit into one response, by their sizes in bytes."""
    return sum(1 for total in accumulate(sizes) if total <= MAX_RESPONSE_BYTES - FRAME_BYTES)


def _build_signer() -> signing.Signer:
    # Unlike the default separator, a full stop needs no escaping in a URL.
    return signing.Signer(salt=SALT, sep=".")


def _build_not_found() -> NotFound:
    return NotFound("There is no calendar here: its link was revoked, or is not complete.")
