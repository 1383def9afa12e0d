"""Answer what a member may do with the materials of a session."""

from core.facts import answers
from core.time import clock
from modules.materials.events import SessionAccess, SessionAccessAsked
from modules.sessions.models import BookingRequest
from modules.sessions.policy import (
    acts_as_moderator,
    build_email_audience,
    build_viewer,
    can_manage,
    explain_materials_closed,
    may_read_materials,
    may_write_materials,
)
from modules.sessions.queries.sessions import select_visible_sessions
from modules.sessions.services.life_cycle import apply_due_transitions


@answers(SessionAccessAsked)
def get_access(question: SessionAccessAsked) -> SessionAccess | None:
    viewer = build_viewer(question.viewer)
    sessions = select_visible_sessions(viewer).filter(pk=question.session_id)
    if question.lock_session:
        # Nobody can cancel or leave the session until the asker's transaction ends.
        sessions = sessions.select_for_update(of=("self",))
    session = sessions.first()
    if session is None:
        return None
    if question.lock_session:
        apply_due_transitions(session, clock.now())
    own = BookingRequest.objects.filter(session=session, user=viewer.user).first()
    can_manage_session = can_manage(session, viewer)
    # Without rejected requests, of which there can be many: their members have added no materials.
    requests = BookingRequest.objects.filter(session=session).exclude(status=BookingRequest.Status.REJECTED)
    requesters = list(requests.values_list("user_id", flat=True)) if can_manage_session else []
    own_status = own.status if own else None
    return SessionAccess(
        can_read=may_read_materials(session, viewer, own_status),
        can_write=may_write_materials(session, viewer, own),
        can_manage=can_manage_session,
        can_moderate=acts_as_moderator(session, viewer),
        closed_reason=explain_materials_closed(session),
        audience=build_email_audience(session.creator_id, viewer, own_status, requesters=requesters),
    )
