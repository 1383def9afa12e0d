"""Making and revoking the link by which calendar programs read a member's sessions (docs/contract.md, "Calendars")."""

import logging
import secrets
from datetime import timedelta

from django.db import DatabaseError, transaction
from django.db.models import Q

from core.accounts.models import User
from core.facts.publish import publish
from core.time import clock
from modules.sessions import events
from modules.sessions.models import CalendarFeed

logger = logging.getLogger(__name__)

# Programs ask several times an hour: each time is not worth a write.
RECORD_INTERVAL = timedelta(hours=1)
# 43 characters, which nobody guesses.
KEY_BYTES = 32


def make_calendar_feed(*, by: User) -> CalendarFeed:
    """Make a link, which takes the place of the one before: that works no longer."""
    with transaction.atomic():
        feed, is_first = CalendarFeed.objects.update_or_create(
            user=by,
            defaults={"key": secrets.token_urlsafe(KEY_BYTES), "created_at": clock.now(), "last_used_at": None},
        )
        publish(events.CalendarFeedMade(member_id=by.pk, replaced=not is_first), by=by)
    return feed


def revoke_calendar_feed(*, by: User) -> None:
    """Let the link work no longer. Twice is fine."""
    with transaction.atomic():
        revoked, _ = CalendarFeed.objects.filter(user=by).delete()
        if revoked:
            publish(events.CalendarFeedRevoked(member_id=by.pk), by=by)


def record_use(*, feed: CalendarFeed) -> None:
    """Note that a program has read just now, at most once an hour. What keeps that from being noted is logged."""
    now = clock.now()
    before = now - RECORD_INTERVAL
    if feed.last_used_at is not None and feed.last_used_at > before:
        return
    unnoted = CalendarFeed.objects.filter(Q(last_used_at=None) | Q(last_used_at__lte=before), pk=feed.pk, key=feed.key)
    try:
        with transaction.atomic():
            unnoted.update(last_used_at=now)
    except DatabaseError:
        logger.warning("The use of calendar feed %s could not be noted", feed.pk, exc_info=True)
