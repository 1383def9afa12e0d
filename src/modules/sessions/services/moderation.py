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
    hiding_refused,
    require,
    require_moderator,
    require_reason,
    second_look_refused,
    showing_refused,
    viewer_of,
)
from modules.sessions.services import transitions
from modules.sessions.services.deciding import require_as_read, require_in_no_other_hands, require_waiting
from modules.sessions.services.life_cycle import IN_CALENDARS, change_in_calendars
from modules.sessions.services.locking import locked_session
from modules.sessions.services.naming import about


def approve_session(*, session_id: int, by: User, reason: str = "", version: int | None = None) -> Session:
    """Let every member see a session that waits, and ask to join.

    `version` is the content that was read; without it, that is not looked at. Raises `NotFound`, `Forbidden`,
    `AlreadyDecided`, `InOtherHands` and `ContentChanged`.
    """
    viewer = viewer_of(by)
    with transaction.atomic():
        session = _to_decide(session_id, viewer, version)
        transitions.approve(session, viewer, reason=reason.strip(), now=clock.now())
    return session


def reject_session(*, session_id: int, by: User, reason: str, version: int | None = None) -> Session:
    """Turn down a session that waits. `version` as above; raises the same, and `Invalid` without a reason."""
    viewer = viewer_of(by)
    with transaction.atomic():
        session = _to_decide(session_id, viewer, version)
        transitions.reject(session, viewer, reason=reason.strip(), now=clock.now())
    return session


def _to_decide(session_id: int, viewer: Viewer, version: int | None) -> Session:
    """The session, locked, as something that can be decided on."""
    session = _to_moderate(session_id, viewer)
    require_waiting(session)
    require_in_no_other_hands(session, viewer.user, clock.now())
    require_as_read(session, version)
    return session


def hide_session(*, session_id: int, by: User, reason: str) -> Session:
    """Show a session to its creator, its participants and moderators alone.

    Raises `NotFound`, `Forbidden`, `Invalid` without a reason, and `StateForbids` for one that nobody else saw.
    """
    viewer = viewer_of(by)
    with transaction.atomic():
        session = _to_moderate(session_id, viewer)
        require(hiding_refused(session))
        require_reason(reason.strip(), what="hidden")
        _set_mark(session, "hidden_at", clock.now(), events.SessionHidden, by=by, reason=reason)
    return session


def show_session(*, session_id: int, by: User, reason: str = "") -> Session:
    """Let everybody see a hidden session again. Raises `NotFound`, `Forbidden`, and `StateForbids` for any other."""
    viewer = viewer_of(by)
    with transaction.atomic():
        session = _to_moderate(session_id, viewer)
        require(showing_refused(session))
        if session.told_title != session.title:
            change_in_calendars(session)
        _set_mark(session, "hidden_at", None, events.SessionShown, by=by, reason=reason)
    return session


def take_second_look(*, session_id: int, by: User, reason: str = "", version: int | None = None) -> Session:
    """Let what was changed after the approval stand.

    `version` is the content that was read. Raises `NotFound`, `Forbidden`, `StateForbids` for a session that waits for
    none, and `ContentChanged` where the content is another by now.
    """
    viewer = viewer_of(by)
    with transaction.atomic():
        session = _to_moderate(session_id, viewer)
        require(second_look_refused(session))
        require_as_read(session, version)
        _set_mark(session, "second_look_since", None, events.SecondLookTaken, by=by, reason=reason)
    return session


def _to_moderate(session_id: int, viewer: Viewer) -> Session:
    session = locked_session(session_id, viewer)
    require_moderator(session, viewer)
    return session


def _set_mark(
    session: Session, mark: str, since: datetime | None, fact: type[events.AboutSession], *, by: User, reason: str
) -> None:
    before = getattr(session, mark)
    setattr(session, mark, since)
    session.save(update_fields=[mark, *IN_CALENDARS])
    publish(fact(**about(session)), by=by, reason=reason.strip(), changes={mark: (before, since)})
