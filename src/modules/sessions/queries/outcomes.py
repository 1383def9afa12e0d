"""How sessions ended, as their rows tell it."""

from django.db.models import Q

from modules.sessions.states import Status

HELD = Q(status=Status.COMPLETED)
# Never approved, and a moderator has decided so.
REJECTED = Q(status=Status.CANCELLED, approved_at__isnull=True, decided_at__isnull=False)
# Called off after its approval, by whomever.
CANCELLED = Q(status=Status.CANCELLED, approved_at__isnull=False)
# Taken back by its creator, or gone with their account, before anybody decided.
WITHDRAWN = Q(status=Status.CANCELLED, approved_at__isnull=True, decided_at__isnull=True)
EXPIRED = Q(status=Status.EXPIRED)
