"""What the sessions answer when other modules ask."""

from dataclasses import replace
from datetime import datetime

from core import clock
from core.accounts.models import User
from core.facts import answers
from core.facts.delivery import fact_of
from core.facts.models import FactRecord
from modules.materials.events import SessionAccess, SessionAccessAsked
from modules.notifications.events import People, PeopleOfSession, SessionNow, SessionNowAsked, StillHolds
from modules.sessions import events
from modules.sessions.calendars import entry_of, entry_of_deleted, is_in, was_let_in
from modules.sessions.models import BookingRequest, Session
from modules.sessions.policy import (
    email_audience,
    materials_closed_because,
    may_read_materials,
    may_write_materials,
    runs,
    viewer_of,
)
from modules.sessions.queries.sessions import visible_sessions
from modules.sessions.services.life_cycle import catch_up, participant_ids, requester_ids
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


@answers(SessionNowAsked)
def session_now(question: SessionNowAsked) -> SessionNow | None:
    session = Session.objects.select_related("creator").filter(pk=question.session_id).first()
    if session is None:
        return _session_as_it_was(question)
    belongs = is_in(session, question.person_id)
    was_in_calendar = (belongs and session.approved_at is not None) or was_let_in(session.pk, question.person_id)
    is_visible = _may_see(session, question.person_id)
    entry = entry_of(session) if was_in_calendar else None
    if entry and not is_visible:
        # What has been written there since is none of their business.
        entry = replace(entry, description="", url="")
    return SessionNow(
        title=session.title,
        starts_at=session.date,
        ends_at=session.ends_at,
        status=str(Status(session.status).label),
        event=entry,
        is_attended=belongs and session.status not in NOT_TAKING_PLACE,
        is_visible=is_visible,
    )


def _may_see(session: Session, person_id: int) -> bool:
    person = User.objects.filter(pk=person_id).first()
    return person is not None and visible_sessions(viewer_of(person)).filter(pk=session.pk).exists()


def _session_as_it_was(question: SessionNowAsked) -> SessionNow | None:
    """One that was deleted, if its record says enough."""
    deletions = FactRecord.objects.filter(name=events.SessionDeleted.name, session_id=question.session_id)
    record = deletions.order_by("-pk").first()
    if record is None:
        return None
    fact = fact_of(record)
    if not isinstance(fact, events.SessionDeleted) or fact.date is None or fact.ends_at is None:
        return None
    was_in_calendar = (fact.creator_id == question.person_id and fact.ever_approved) or was_let_in(
        fact.session_id, question.person_id
    )
    entry = entry_of_deleted(fact, starts_at=fact.date, ends_at=fact.ends_at, deleted_at=record.occurred_at)
    return SessionNow(
        title=fact.title,
        starts_at=fact.date,
        ends_at=fact.ends_at,
        status="deleted",
        event=entry if was_in_calendar else None,
        is_attended=False,
        is_visible=True,
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
            return begins_then and person_id in concerned and _may_see(session, person_id)
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
