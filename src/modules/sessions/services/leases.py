"""Leases on sessions that wait for approval, so that two moderators do not decide at once."""

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
    """Take or renew the lease on a session that waits for approval.

    It keeps other moderators from deciding in the portal. It does not keep the creator from editing, nor anybody from
    deciding by the API. Raises `NotFound`, `Forbidden`, `AlreadyDecided` and `LeasedByOther`.
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


def renew_leases(*, leases: Mapping[int, datetime], by: User) -> None:
    """Extend leases that a moderator holds; `leases` maps session ids to when the lease was taken."""
    now = clock.now()
    for session_id, taken_at in leases.items():
        held = DecisionLease.objects.filter(session=session_id, holder=by, taken_at=taken_at, ends_at__gt=now)
        held.update(ends_at=now + LEASE_DURATION)


def release_leases(*, leases: Mapping[int, datetime], by: User) -> None:
    """End leases that a moderator holds; those that were taken again since then stay."""
    for session_id, taken_at in leases.items():
        DecisionLease.objects.filter(session=session_id, holder=by, taken_at=taken_at).delete()
