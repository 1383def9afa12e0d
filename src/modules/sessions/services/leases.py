"""Having a session in hand for as long as it takes to decide, so that two moderators do not decide at once."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from core.accounts.models import User
from core.time import clock
from modules.sessions.models import DecisionLease
from modules.sessions.policy import build_viewer, require_moderator
from modules.sessions.services.deciding import require_not_leased_by_other, require_pending_approval
from modules.sessions.services.locking import lock_session

LEASE_DURATION = timedelta(minutes=5)


def take_lease(*, session_id: int, by: User) -> DecisionLease:
    """Have a session that waits in hand for five minutes from now, also where one has it already.

    It keeps other moderators from deciding in the portal, not the creator from changing it. Raises `NotFound`,
    `Forbidden`, `AlreadyDecided`, and `LeasedByOther`.
    """
    viewer = build_viewer(by)
    with transaction.atomic():
        session = lock_session(session_id, viewer)
        require_moderator(session, viewer)
        require_pending_approval(session)
        now = clock.now()
        require_not_leased_by_other(session, by, now)
        lease, _ = DecisionLease.objects.update_or_create(
            session=session, defaults={"holder": by, "taken_at": now, "ends_at": now + LEASE_DURATION}
        )
    return lease


def renew_leases(*, taken: Mapping[int, datetime], by: User) -> None:
    """Five minutes more for what somebody has in hand, by the session's id and when they took it."""
    now = clock.now()
    for session_id, taken_at in taken.items():
        held = DecisionLease.objects.filter(session=session_id, holder=by, taken_at=taken_at, ends_at__gt=now)
        held.update(ends_at=now + LEASE_DURATION)


def release_leases(*, taken: Mapping[int, datetime], by: User) -> None:
    """Let others decide. What somebody else has in hand stays there, and what was taken anew since then."""
    for session_id, taken_at in taken.items():
        DecisionLease.objects.filter(session=session_id, holder=by, taken_at=taken_at).delete()
