"""What moderators decide (docs/contract.md, "Moderation"). Nobody but a superuser decides on their own session."""

from datetime import datetime

from django.db import transaction

from core import clock
from core.accounts.models import User
from core.errors import StateForbids
from core.facts.publish import publish
from modules.sessions import events
from modules.sessions.models import Session
from modules.sessions.policy import require_moderator, viewer_of
from modules.sessions.services import transitions
from modules.sessions.services.locking import locked_session
from modules.sessions.services.naming import about
from modules.sessions.states import Status


def approve_session(*, session_id: int, by: User, reason: str = "") -> Session:
    """Raises `NotFound`, `Forbidden`, and `StateForbids` where the session waits no longer."""
    viewer = viewer_of(by)
    with transaction.atomic():
        session = locked_session(session_id, viewer)
        require_moderator(session, viewer)
        transitions.approve(session, viewer, reason=reason.strip(), now=clock.now())
    return session


def reject_session(*, session_id: int, by: User, reason: str) -> Session:
    """Raises `NotFound`, `Forbidden`, `Invalid` without a reason, and `StateForbids` where it waits no longer."""
    viewer = viewer_of(by)
    with transaction.atomic():
        session = locked_session(session_id, viewer)
        require_moderator(session, viewer)
        if session.status != Status.PENDING_APPROVAL:
            raise StateForbids(f"Only a session that waits can be rejected; this one is {session.status}.")
        transitions.cancel(session, viewer, reason=reason.strip(), now=clock.now())
    return session


def hide_session(*, session_id: int, by: User, reason: str) -> Session:
    """Show a session to its creator, its participants and moderators alone. Twice is fine."""
    return _set_mark(session_id, "hidden_at", clock.now(), events.SessionHidden, by=by, reason=reason)


def show_session(*, session_id: int, by: User, reason: str) -> Session:
    """Let everybody see a hidden session again. Twice is fine."""
    return _set_mark(session_id, "hidden_at", None, events.SessionShown, by=by, reason=reason)


def take_second_look(*, session_id: int, by: User, reason: str = "") -> Session:
    """Let what was changed after the approval stand. Twice is fine."""
    return _set_mark(session_id, "second_look_since", None, events.SecondLookTaken, by=by, reason=reason)


def _set_mark(
    session_id: int, mark: str, since: datetime | None, fact: type[events.AboutSession], *, by: User, reason: str
) -> Session:
    """Set a mark of a moderator, or take it away; raises `NotFound` and `Forbidden`."""
    viewer = viewer_of(by)
    with transaction.atomic():
        session = locked_session(session_id, viewer)
        require_moderator(session, viewer)
        before = getattr(session, mark)
        if (before is None) != (since is None):
            setattr(session, mark, since)
            session.save(update_fields=[mark])
            publish(fact(**about(session)), by=by, reason=reason.strip(), changes={mark: (before, since)})
    return session
