"""Making and revoking calendar links, and recording their use (docs/contract.md, "Calendars")."""

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

# Programs poll several times an hour; this limits the writes.
RECORD_INTERVAL = timedelta(hours=1)
# Of entropy; 43 characters in base64.
KEY_BYTES = 32


def make_calendar_feed(*, by: User) -> CalendarFeed:
    """Make a calendar link for a member, which revokes the former one."""
    with transaction.atomic():
        feed, is_first = CalendarFeed.objects.update_or_create(
            user=by,
            defaults={"key": secrets.token_urlsafe(KEY_BYTES), "created_at": clock.now(), "last_used_at": None},
        )
        publish(events.CalendarFeedMade(member_id=by.pk, replaced=not is_first), by=by)
    return feed


def revoke_calendar_feed(*, by: User) -> None:
    """Revoke a member's link. Idempotent."""
    with transaction.atomic():
        revoked, _ = CalendarFeed.objects.filter(user=by).delete()
        if revoked:
            publish(events.CalendarFeedRevoked(member_id=by.pk), by=by)


def record_use(*, feed: CalendarFeed) -> None:
    """Set when the feed was last used, at most once an hour. A failure of the database is logged only."""
    now = clock.now()
    before = now - RECORD_INTERVAL
    if feed.last_used_at is not None and feed.last_used_at > before:
        return
    outdated = CalendarFeed.objects.filter(Q(last_used_at=None) | Q(last_used_at__lte=before), pk=feed.pk, key=feed.key)
    try:
        with transaction.atomic():
            outdated.update(last_used_at=now)
    except DatabaseError:
        logger.warning("Could not record the use of calendar feed %s", feed.pk, exc_info=True)
