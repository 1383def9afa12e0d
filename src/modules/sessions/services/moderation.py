"""What moderators decide (docs/contract.md, "Moderation"). Nobody but a superuser decides on their own session."""

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
    """Let every member see a session that waits, and ask to join.

    `version` is the content that was read; without it, that is not looked at. Raises `NotFound`, `Forbidden`,
    `AlreadyDecided`, `LeasedByOther` and `ContentChanged`.
    """
    viewer = build_viewer(by)
    with transaction.atomic():
        session = _lock_to_decide(session_id, viewer, version)
        transitions.approve(session, viewer, reason=reason.strip(), now=clock.now())
    return session


def reject_session(*, session_id: int, by: User, reason: str, version: int | None = None) -> Session:
    """Turn down a session that waits. `version` as above; raises the same, and `Invalid` without a reason."""
    viewer = build_viewer(by)
    with transaction.atomic():
        session = _lock_to_decide(session_id, viewer, version)
        transitions.reject(session, viewer, reason=reason.strip(), now=clock.now())
    return session


def _lock_to_decide(session_id: int, viewer: Viewer, version: int | None) -> Session:
    """The session, locked, as something that can be decided on."""
    session = _lock_to_moderate(session_id, viewer)
    require_pending_approval(session)
    require_not_leased_by_other(session, viewer.user, clock.now())
    require_version(session, version)
    return session


def hide_session(*, session_id: int, by: User, reason: str) -> Session:
    """Show a session to its creator, its participants and moderators alone.

    Raises `NotFound`, `Forbidden`, `Invalid` without a reason, and `StateForbids` for one that nobody else saw.
    """
    viewer = build_viewer(by)
    with transaction.atomic():
        session = _lock_to_moderate(session_id, viewer)
        raise_if_refused(check_hiding(session))
        require_reason(reason.strip(), what="hidden")
        _set_mark(session, "hidden_at", clock.now(), events.SessionHidden, by=by, reason=reason)
    return session


def show_session(*, session_id: int, by: User, reason: str = "") -> Session:
    """Let everybody see a hidden session again. Raises `NotFound`, `Forbidden`, and `StateForbids` for any other."""
    viewer = build_viewer(by)
    with transaction.atomic():
        session = _lock_to_moderate(session_id, viewer)
        raise_if_refused(check_showing(session))
        if session.public_title != session.title:
            increment_calendar_sequence(session)
        _set_mark(session, "hidden_at", None, events.SessionShown, by=by, reason=reason)
    return session


def take_second_look(*, session_id: int, by: User, reason: str = "", version: int | None = None) -> Session:
    """Let what was changed after the approval stand.

    `version` is the content that was read. Raises `NotFound`, `Forbidden`, `StateForbids` for a session that waits for
    none, and `ContentChanged` where the content is another by now.
    """
    viewer = build_viewer(by)
    with transaction.atomic():
        session = _lock_to_moderate(session_id, viewer)
        raise_if_refused(check_second_look(session))
        require_version(session, version)
        _set_mark(session, "second_look_since", None, events.SecondLookTaken, by=by, reason=reason)
    return session


def _lock_to_moderate(session_id: int, viewer: Viewer) -> Session:
    session = lock_session(session_id, viewer)
    require_moderator(session, viewer)
    return session


def _set_mark(
    session: Session, mark: str, since: datetime | None, fact: type[events.AboutSession], *, by: User, reason: str
) -> None:
    before = getattr(session, mark)
    setattr(session, mark, since)
    session.save(update_fields=[mark, *CALENDAR_FIELDS])
    publish(fact(**build_session_fields(session)), by=by, reason=reason.strip(), changes={mark: (before, since)})
