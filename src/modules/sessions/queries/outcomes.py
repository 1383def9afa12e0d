"""How sessions ended, as their rows tell it."""

from datetime import datetime

from django.db.models import Q

from modules.sessions.states import FINAL, Status

HELD = Q(status=Status.COMPLETED)
# Never approved, and a moderator has decided so.
REJECTED = Q(status=Status.CANCELLED, approved_at__isnull=True, decided_at__isnull=False)
# Called off after its approval, by whomever.
CANCELLED = Q(status=Status.CANCELLED, approved_at__isnull=False)
# Taken back by its creator, or gone with their account, before anybody decided.
WITHDRAWN = Q(status=Status.CANCELLED, approved_at__isnull=True, decided_at__isnull=True)
EXPIRED = Q(status=Status.EXPIRED)


def filter_not_over(now: datetime) -> Q:
    """What the clock has not ended, also where the worker has not looked yet."""
    is_ahead = Q(date__gt=now) & ~Q(status__in=FINAL)
    takes_place = Q(status=Status.ONGOING) | Q(status=Status.SCHEDULED, participant_count__gt=0)
    return is_ahead | (takes_place & Q(ends_at__gt=now))
