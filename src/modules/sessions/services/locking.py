"""Taking hold of a session before deciding anything about it."""

from core.errors import NotFound
from core.time import clock
from modules.sessions.models import BookingRequest, Session
from modules.sessions.policy import Viewer
from modules.sessions.queries.sessions import select_visible_sessions
from modules.sessions.services.life_cycle import apply_due_transitions
from modules.sessions.states import Status


def lock_session(session_id: int, viewer: Viewer) -> Session:
    """The session, locked until the transaction ends and moved to where the clock says it is by now.

    Every change of a session, of its requests or of its places begins here, so that they come one after the other.
    Raises `NotFound` where the viewer may not know of it.
    """
    return lock_session_with_status(session_id, viewer)[0]


def lock_session_with_status(session_id: int, viewer: Viewer) -> tuple[Session, Status]:
    """The same, and the status that it had before the clock moved it just now: what clients have read so far."""
    visible = select_visible_sessions(viewer).select_related("creator")
    session = visible.select_for_update(of=("self",)).filter(pk=session_id).first()
    if session is None:
        raise NotFound("There is no such session.")
    before = Status(session.status)
    apply_due_transitions(session, clock.now())
    return session, before


def find_own_request(session: Session, viewer: Viewer) -> BookingRequest | None:
    return BookingRequest.objects.filter(session=session, user=viewer.user).first()
