"""Who may do what with the materials of a session."""

from core.facts import answers
from core.time import clock
from modules.materials.events import SessionAccess, SessionAccessAsked
from modules.sessions.models import BookingRequest
from modules.sessions.policy import (
    acts_as_moderator,
    email_audience,
    materials_closed_because,
    may_read_materials,
    may_write_materials,
    runs,
    viewer_of,
)
from modules.sessions.queries.sessions import visible_sessions
from modules.sessions.services.life_cycle import catch_up


@answers(SessionAccessAsked)
def access_of(question: SessionAccessAsked) -> SessionAccess | None:
    viewer = viewer_of(question.viewer)
    sessions = visible_sessions(viewer).filter(pk=question.session_id)
    if question.to_add:
        # Nobody cancels the session, or leaves it, between this answer and what it permits.
        sessions = sessions.select_for_update(of=("self",))
    session = sessions.first()
    if session is None:
        return None
    if question.to_add:
        catch_up(session, clock.now())
    own = BookingRequest.objects.filter(session=session, user=viewer.user).first()
    manages = runs(session, viewer)
    # Of those who were rejected there may be any number, and who adds materials is none of them.
    requests = BookingRequest.objects.filter(session=session).exclude(status=BookingRequest.Status.REJECTED)
    requesters = list(requests.values_list("user_id", flat=True)) if manages else []
    own_status = own.status if own else None
    return SessionAccess(
        reads=may_read_materials(session, viewer, own_status),
        writes=may_write_materials(session, viewer, own),
        manages=manages,
        moderates=acts_as_moderator(session, viewer),
        closed_because=materials_closed_because(session),
        audience=email_audience(session.creator_id, viewer, own_status, requesters=requesters),
    )
