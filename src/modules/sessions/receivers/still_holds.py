"""Whether a fact is still worth telling."""

from datetime import datetime

from core.accounts.models import User
from core.facts import answers
from core.time import clock
from modules.notifications.events import StillHolds
from modules.sessions import events
from modules.sessions.models import BookingRequest, Session
from modules.sessions.policy import viewer_of
from modules.sessions.queries.sessions import may_see
from modules.sessions.services.life_cycle import participant_ids, requester_ids
from modules.sessions.states import FINAL, NOT_TAKING_PLACE, OPEN, Status

AboutRequest = (
    events.BookingRequested
    | events.BookingRequestApproved
    | events.BookingRequestRejected
    | events.SeatLeft
    | events.ParticipantRemoved
)

# What has ended for somebody is worth telling them, also when the session itself has been deleted since.
ENDED_FOR_SOMEBODY = (
    events.SessionDeleted,
    events.SessionCancelled,
    events.SessionExpired,
    events.SessionRejected,
    events.SessionStarted,
    events.BookingRequestRejected,
    events.ParticipantRemoved,
)


@answers(StillHolds)
def still_holds(question: StillHolds) -> bool | None:
    """Whether one of our facts is still worth telling: the state is read again, and what has passed is dropped."""
    fact = question.fact
    if isinstance(fact, events.SessionsWaiting):
        return _waits_for(fact, question.person_id)
    if not isinstance(fact, events.AboutSession):
        return None
    session = Session.objects.filter(pk=fact.session_id).first()
    if session is None:
        return isinstance(fact, ENDED_FOR_SOMEBODY)
    if isinstance(fact, AboutRequest):
        return _request_is_so(fact, session)
    return _session_is_so(fact, session, question.person_id)


def _waits_for(fact: events.SessionsWaiting, person_id: int) -> bool:
    """Whether they may still decide, and one of these sessions still waits for them."""
    person = User.objects.filter(pk=person_id).first()
    if person is None or not viewer_of(person).moderates:
        return False
    others = [waiting.session_id for waiting in fact.sessions if waiting.creator_id != person_id]
    return Session.objects.filter(pk__in=others, status=Status.PENDING_APPROVAL).exists()


def _request_is_so(fact: AboutRequest, session: Session) -> bool:
    requests = BookingRequest.objects.filter(session=session, user=fact.member_id)
    match fact:
        case events.BookingRequested():
            # One that was rejected and made again is told by the fact of that time.
            return requests.filter(status=BookingRequest.Status.PENDING, requested_at=fact.requested_at).exists()
        case events.BookingRequestApproved():
            is_in_now = requests.filter(status=BookingRequest.Status.APPROVED).exists()
            return is_in_now and session.status not in NOT_TAKING_PLACE
        case events.BookingRequestRejected():
            return requests.filter(status=BookingRequest.Status.REJECTED).exists()
        case _:
            return not requests.filter(status=BookingRequest.Status.APPROVED).exists()


def _session_is_so(fact: events.AboutSession, session: Session, person_id: int) -> bool:
    match fact:
        case events.SessionStarted():
            requests = BookingRequest.objects.filter(session=session, user=person_id)
            return requests.filter(status=BookingRequest.Status.REJECTED).exists()
        case events.SessionApproved():
            return session.status in OPEN
        case events.SessionRescheduled():
            concerned = {session.creator_id, *participant_ids(session), *requester_ids(session)}
            begins_then = session.date == fact.date and session.status not in FINAL
            return begins_then and person_id in concerned and may_see(session, person_id)
        case events.ReminderDue():
            concerned = {session.creator_id, *participant_ids(session)}
            return _is_ahead(session, fact.date) and person_id in concerned
        case events.RequestsUndecided():
            return _is_ahead(session, fact.date) and bool(requester_ids(session))
        case _:
            return True


def _is_ahead(session: Session, date: datetime) -> bool:
    """Whether it will still begin at that date."""
    return session.status in OPEN and session.date == date and date > clock.now()
