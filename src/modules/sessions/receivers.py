"""What the sessions answer when other modules ask."""

from datetime import datetime

from core import clock
from core.facts import answers
from modules.materials.events import SessionAccess, SessionAccessAsked
from modules.notifications.events import People, PeopleOfSession, StillHolds
from modules.sessions import events
from modules.sessions.models import BookingRequest, Session
from modules.sessions.policy import (
    email_audience,
    materials_closed_because,
    may_read_materials,
    may_write_materials,
    runs,
    viewer_of,
)
from modules.sessions.queries import visible_sessions
from modules.sessions.services.life_cycle import catch_up, participant_ids, requester_ids
from modules.sessions.states import OPEN


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
    own_status = own.status if own else None
    return SessionAccess(
        reads=may_read_materials(session, viewer, own_status),
        writes=may_write_materials(session, viewer, own),
        manages=runs(session, viewer),
        closed_because=materials_closed_because(session),
        audience=email_audience(session.creator_id, viewer, own_status),
    )


@answers(PeopleOfSession)
def people_of(question: PeopleOfSession) -> People | None:
    session = Session.objects.filter(pk=question.session_id).first()
    if session is None:
        return None
    return People(title=session.title, creator_id=session.creator_id, participant_ids=participant_ids(session))


@answers(StillHolds)
def still_holds(question: StillHolds) -> bool | None:
    """Whether one of our facts is still worth telling: the state is read again, and what has passed is dropped."""
    fact = question.fact
    if not isinstance(fact, events.AboutSession):
        return None
    session = Session.objects.filter(pk=fact.session_id).first()
    if session is None:
        return isinstance(fact, events.SessionDeleted)
    requests = BookingRequest.objects.filter(session=session)
    match fact:
        case events.BookingRequested():
            # One that was rejected and made again is told by the fact of that time.
            holds = requests.filter(
                user=fact.member_id, status=BookingRequest.Status.PENDING, requested_at=fact.requested_at
            ).exists()
        case events.BookingRequestApproved():
            holds = fact.member_id in participant_ids(session)
        case events.BookingRequestRejected() | events.SessionStarted():
            holds = requests.filter(user=question.person_id, status=BookingRequest.Status.REJECTED).exists()
        case events.SeatLeft() | events.ParticipantRemoved():
            holds = fact.member_id not in participant_ids(session)
        case events.SessionApproved():
            holds = session.status in OPEN
        case events.SessionRescheduled():
            concerned = {session.creator_id, *participant_ids(session), *requester_ids(session)}
            holds = _is_ahead(session, fact.date) and question.person_id in concerned
        case events.ReminderDue():
            concerned = {session.creator_id, *participant_ids(session)}
            holds = _is_ahead(session, fact.date) and question.person_id in concerned
        case _:
            holds = True
    return holds


def _is_ahead(session: Session, date: datetime) -> bool:
    """Whether it will still begin at that date."""
    return session.status in OPEN and session.date == date and date > clock.now()
