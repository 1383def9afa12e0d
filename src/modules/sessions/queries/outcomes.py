"""Filters by how sessions ended."""

from datetime import datetime

from django.db.models import Q

from modules.sessions.states import FINAL, Status

HELD = Q(status=Status.COMPLETED)
# Never approved, by a moderator's decision.
REJECTED = Q(status=Status.CANCELLED, approved_at__isnull=True, decided_at__isnull=False)
# After the approval, by anybody.
CANCELLED = Q(status=Status.CANCELLED, approved_at__isnull=False)
# Cancelled by its creator, or with their account, before a decision.
WITHDRAWN = Q(status=Status.CANCELLED, approved_at__isnull=True, decided_at__isnull=True)
EXPIRED = Q(status=Status.EXPIRED)


def filter_not_over(now: datetime) -> Q:
    """Build the filter for sessions that are not over at `now`, even if their due transitions are not applied yet."""
    is_ahead = Q(date__gt=now) & ~Q(status__in=FINAL)
    takes_place = Q(status=Status.ONGOING) | Q(status=Status.SCHEDULED, participant_count__gt=0)
    return is_ahead | (takes_place & Q(ends_at__gt=now))
