"""Locking a session before it is changed."""

from core.errors import NotFound
from core.time import clock
from modules.sessions.models import BookingRequest, Session
from modules.sessions.policy import Viewer
from modules.sessions.queries.sessions import select_visible_sessions
from modules.sessions.services.life_cycle import apply_due_transitions
from modules.sessions.states import Status


def lock_session(session_id: int, viewer: Viewer) -> Session:
    """Lock the row of a session until the transaction ends, and apply the transitions that are due by time.

    Every change of a session and of its booking requests begins with this lock, which serializes them. Raises
    `NotFound` for a session that the viewer may not see.
    """
    return lock_session_with_status(session_id, viewer)[0]


def lock_session_with_status(session_id: int, viewer: Viewer) -> tuple[Session, Status]:
    """Lock a session as `lock_session` does; also return the status before the due transitions, which clients read."""
    visible = select_visible_sessions(viewer).select_related("creator")
    session = visible.select_for_update(of=("self",)).filter(pk=session_id).first()
    if session is None:
        raise NotFound("There is no such session.")
    before = Status(session.status)
    apply_due_transitions(session, clock.now())
    return session, before


def find_own_request(session: Session, viewer: Viewer) -> BookingRequest | None:
    """Return the viewer's own booking request in this session, if there is one."""
    booking_request = BookingRequest.objects.filter(session=session, user=viewer.user).first()
    if booking_request is not None:
        booking_request.session = session
    return booking_request
