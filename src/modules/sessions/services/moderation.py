"""Decisions of moderators (docs/contract.md, "Moderation"). Only a superuser moderates a session of their own.

The portal passes the `version` that was read and holds a lease; the API passes no version and takes no lease.
"""

from datetime import datetime

from django.db import transaction

from core.accounts.models import User
from core.facts.publish import publish
from core.time import clock
from modules.sessions import events
from modules.sessions.models import Session
from modules.sessions.policy import (
    Viewer,
    build_viewer,
    check_hiding,
    check_second_look,
    check_showing,
    raise_if_refused,
    require_moderator,
    require_reason,
)
from modules.sessions.services import transitions
from modules.sessions.services.deciding import require_not_leased_by_other, require_pending_approval, require_version
from modules.sessions.services.fact_fields import build_session_fields
from modules.sessions.services.life_cycle import CALENDAR_FIELDS, increment_calendar_sequence
from modules.sessions.services.locking import lock_session


def approve_session(*, session_id: int, by: User, reason: str = "", version: int | None = None) -> Session:
    """Approve a session that waits for approval, which makes it visible to every member.

    `version` is the content version that was read; `None` skips that check. Raises `NotFound`, `Forbidden`,
    `AlreadyDecided`, `LeasedByOther` and `ContentChanged`.
    """
    viewer = build_viewer(by)
    with transaction.atomic():
        session = _lock_to_decide(session_id, viewer, version)
        transitions.approve(session, viewer, reason=reason.strip(), now=clock.now())
    return session


def reject_session(*, session_id: int, by: User, reason: str, version: int | None = None) -> Session:
    """Reject a session that waits for approval. Like `approve_session`; raises `Invalid` without a reason, too."""
    viewer = build_viewer(by)
    with transaction.atomic():
        session = _lock_to_decide(session_id, viewer, version)
        transitions.reject(session, viewer, reason=reason.strip(), now=clock.now())
    return session


def _lock_to_decide(session_id: int, viewer: Viewer, version: int | None) -> Session:
    """Lock a session, and check that this moderator can decide on it now."""
    session = _lock_to_moderate(session_id, viewer)
    require_pending_approval(session)
    require_not_leased_by_other(session, viewer.user, clock.now())
    require_version(session, version)
    return session


def hide_session(*, session_id: int, by: User, reason: str) -> Session:
    """Hide a session from all but its creator, its participants and moderators.

    Raises `NotFound`, `Forbidden`, `Invalid` without a reason, and `StateForbids` if that is not possible.
    """
    viewer = build_viewer(by)
    with transaction.atomic():
        session = _lock_to_moderate(session_id, viewer)
        raise_if_refused(check_hiding(session))
        require_reason(reason.strip(), what="hidden")
        _set_timestamp(session, "hidden_at", clock.now(), events.SessionHidden, by=by, reason=reason)
    return session


def show_session(*, session_id: int, by: User, reason: str = "") -> Session:
    """Make a hidden session visible again. Raises `NotFound`, `Forbidden`, and `StateForbids` for any other."""
    viewer = build_viewer(by)
    with transaction.atomic():
        session = _lock_to_moderate(session_id, viewer)
        raise_if_refused(check_showing(session))
        if session.public_title != session.title:
            increment_calendar_sequence(session)
        _set_timestamp(session, "hidden_at", None, events.SessionShown, by=by, reason=reason)
    return session


def take_second_look(*, session_id: int, by: User, reason: str = "", version: int | None = None) -> Session:
    """Accept the edits since the approval.

    `version` is the content version that was read. Raises `NotFound`, `Forbidden`, `StateForbids` for a session that
    waits for no second look, and `ContentChanged`.
    """
    viewer = build_viewer(by)
    with transaction.atomic():
        session = _lock_to_moderate(session_id, viewer)
        raise_if_refused(check_second_look(session))
        require_version(session, version)
        _set_timestamp(session, "second_look_since", None, events.SecondLookTaken, by=by, reason=reason)
    return session


def _lock_to_moderate(session_id: int, viewer: Viewer) -> Session:
    session = lock_session(session_id, viewer)
    require_moderator(session, viewer)
    return session


def _set_timestamp(
    session: Session, field: str, value: datetime | None, fact: type[events.SessionFact], *, by: User, reason: str
) -> None:
    """Save one of the time fields of a session, and publish the fact with its change."""
    before = getattr(session, field)
    setattr(session, field, value)
    session.save(update_fields=[field, *CALENDAR_FIELDS])
    publish(fact(**build_session_fields(session)), by=by, reason=reason.strip(), changes={field: (before, value)})
