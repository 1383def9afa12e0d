"""Checks before a decision: the session waits for approval, nobody else holds its lease, its content was read.

Only the portal takes leases and sends versions; clients of the API decide without them.
"""

from datetime import datetime

from core.accounts.models import User
from core.errors import StateForbids
from core.facts.publish import Changes
from modules.sessions.models import DecisionLease, Session
from modules.sessions.queries.decisions import find_changes_since_version, find_last_change
from modules.sessions.states import Status


class AlreadyDecided(StateForbids):
    """The session no longer waits for approval; the message says who decided what, when and why."""


class LeasedByOther(StateForbids):
    """Another moderator holds the lease; the message says who, and for how long at most."""


class ContentChanged(StateForbids):
    """The session was changed after it was read.

    `changes` maps each field to the value that was read and the value now, both as plain values.
    """

    def __init__(self, message: str, changes: Changes) -> None:
        super().__init__(message)
        self.changes = changes


def require_pending_approval(session: Session) -> None:
    """Raise `AlreadyDecided` for a session that does not wait for approval."""
    if session.status != Status.PENDING_APPROVAL:
        change = find_last_change(session.pk, "status")
        state = f"This session is {Status(session.status).label} already: it waits for no decision."
        raise AlreadyDecided(change.sentence if change else state)


def require_not_leased_by_other(session: Session, by: User, now: datetime) -> None:
    """Raise `LeasedByOther` while another moderator holds the lease."""
    lease = DecisionLease.objects.select_related("holder").filter(session=session, ends_at__gt=now).first()
    if lease is not None and lease.holder_id != by.pk:
        minutes = max(1, round((lease.ends_at - now).total_seconds() / 60))
        left = "1 minute" if minutes == 1 else f"{minutes} minutes"
        raise LeasedByOther(f"{lease.holder.display_name} has this session in hand, for {left}. Nothing was decided.")


def require_version(session: Session, version: int | None) -> None:
    """Raise `ContentChanged` unless `version` is the current content version; `None` skips the check."""
    if version is None or version == session.content_version:
        return
    changes = find_changes_since_version(session, version)
    # Also if the version is higher than any that could have been read.
    if changes or version > session.content_version:
        raise ContentChanged("The session was changed while you read it. Nothing was decided.", changes)
