"""What moderators decide (docs/contract.md, "Moderation"). Nobody but a superuser decides on their own session."""

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
    viewer = viewer_of(by)
    with transaction.atomic():
        session = locked_session(session_id, viewer)
        require_moderator(session, viewer)
        if session.hidden_at is None:
            session.hidden_at = clock.now()
            session.save(update_fields=["hidden_at"])
            publish(events.SessionHidden(**about(session)), by=by, reason=reason.strip())
    return session


def show_session(*, session_id: int, by: User, reason: str) -> Session:
    """Let everybody see a hidden session again. Twice is fine."""
    viewer = viewer_of(by)
    with transaction.atomic():
        session = locked_session(session_id, viewer)
        require_moderator(session, viewer)
        if session.hidden_at is not None:
            session.hidden_at = None
            session.save(update_fields=["hidden_at"])
            publish(events.SessionShown(**about(session)), by=by, reason=reason.strip())
    return session


def take_second_look(*, session_id: int, by: User, reason: str = "") -> Session:
    """Let what was changed after the approval stand. Twice is fine."""
    viewer = viewer_of(by)
    with transaction.atomic():
        session = locked_session(session_id, viewer)
        require_moderator(session, viewer)
        if session.second_look_since is not None:
            session.second_look_since = None
            session.save(update_fields=["second_look_since"])
            publish(events.SecondLookTaken(**about(session)), by=by, reason=reason.strip())
    return session
