"""Starting, ending and cancelling a session (docs/contract.md, "Sessions")."""

from django.db import transaction

from core.accounts.models import User
from core.time import clock
from modules.sessions.models import Session
from modules.sessions.policy import build_viewer, is_creator
from modules.sessions.services import transitions
from modules.sessions.services.locking import lock_session, lock_session_with_status
from modules.sessions.states import Status


def start_session(*, session_id: int, by: User) -> Session:
    """Start a session before its time, which rejects its pending requests.

    If locking the session has just applied the due start, nothing is left to do. Raises `NotFound`, `Forbidden` and
    `StateForbids`.
    """
    viewer = build_viewer(by)
    with transaction.atomic():
        session, before = lock_session_with_status(session_id, viewer)
        if not (before != session.status == Status.ONGOING and is_creator(session, viewer)):
            transitions.start(session, viewer, reason="", now=clock.now())
    return session


def end_session(*, session_id: int, by: User) -> Session:
    """End an ongoing session before its time. Raises `NotFound`, `Forbidden` and `StateForbids`."""
    viewer = build_viewer(by)
    with transaction.atomic():
        session, before = lock_session_with_status(session_id, viewer)
        if not (before != session.status == Status.COMPLETED and is_creator(session, viewer)):
            transitions.end(session, viewer, reason="", now=clock.now())
    return session


def cancel_session(*, session_id: int, by: User, reason: str) -> Session:
    """Cancel a session, which rejects its pending requests; see `transitions.cancel` for when this is a rejection.

    Raises `NotFound`, `Forbidden`, `StateForbids`, and `Invalid` for a rejection without a reason.
    """
    viewer = build_viewer(by)
    with transaction.atomic():
        session = lock_session(session_id, viewer)
        transitions.cancel(session, viewer, reason=reason.strip(), now=clock.now())
    return session
