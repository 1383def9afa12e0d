"""What moderators decide (docs/contract.md, "Moderation"). Nobody but a superuser decides on their own session."""

from datetime import datetime

from django.db import transaction

from core import clock
from core.accounts.models import User
from core.facts.publish import publish
from modules.sessions import events
from modules.sessions.models import DecisionLease, Session
from modules.sessions.policy import Viewer, require_moderator, viewer_of
from modules.sessions.services import transitions
from modules.sessions.services.deciding import require_as_read, require_in_no_other_hands, require_waiting
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
    """The session, locked; whoever has it in hand has decided by the end of the transaction."""
    session = locked_session(session_id, viewer)
    require_moderator(session, viewer)
    require_waiting(session)
    require_in_no_other_hands(session, viewer.user, clock.now())
    require_as_read(session, version)
    DecisionLease.objects.filter(session=session).delete()
    return session


def hide_session(*, session_id: int, by: User, reason: str) -> Session:
    """Show a session to its creator, its participants and moderators alone. Twice is fine."""
    return _set_mark(session_id, "hidden_at", clock.now(), events.SessionHidden, by=by, reason=reason)


def show_session(*, session_id: int, by: User, reason: str) -> Session:
    """Let everybody see a hidden session again. Twice is fine."""
    return _set_mark(session_id, "hidden_at", None, events.SessionShown, by=by, reason=reason)


def take_second_look(*, session_id: int, by: User, reason: str = "", version: int | None = None) -> Session:
    """Let what was changed after the approval stand. Twice is fine.

    `version` is the content that was read; raises `ContentChanged` where it is another by now.
    """
    return _set_mark(
        session_id, "second_look_since", None, events.SecondLookTaken, by=by, reason=reason, version=version
    )


def _set_mark(
    session_id: int,
    mark: str,
    since: datetime | None,
    fact: type[events.AboutSession],
    *,
    by: User,
    reason: str,
    version: int | None = None,
) -> Session:
    """Set a mark of a moderator, or take it away; raises `NotFound` and `Forbidden`."""
    viewer = viewer_of(by)
    with transaction.atomic():
        session = locked_session(session_id, viewer)
        require_moderator(session, viewer)
        require_as_read(session, version)
        before = getattr(session, mark)
        if (before is None) != (since is None):
            setattr(session, mark, since)
            session.save(update_fields=[mark])
            publish(fact(**about(session)), by=by, reason=reason.strip(), changes={mark: (before, since)})
    return session
