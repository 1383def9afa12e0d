"""Answer whether a fact about a session still holds, before somebody is notified of it late."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from core.accounts.models import User
from core.facts import answers
from core.time import clock
from modules.notifications.events import StillHolds
from modules.sessions import events
from modules.sessions.models import BookingRequest, Session
from modules.sessions.policy import build_viewer
from modules.sessions.queries.sessions import can_see
from modules.sessions.services.life_cycle import list_participant_ids, list_pending_requester_ids
from modules.sessions.states import FINAL, NOT_TAKING_PLACE, OPEN, Status

Condition = Callable[[Any, Session, int], bool]


@answers(StillHolds)
def check_still_holds(question: StillHolds) -> bool | None:
    """Return whether a fact of this module still holds for a person; `None` for facts of other modules.

    Raises `LookupError` for a fact without a condition in `CONDITIONS`.
    """
    fact = question.fact
    if isinstance(fact, events.SessionsWaiting):
        return _still_waits_for(fact, question.person_id)
    if not isinstance(fact, events.SessionFact):
        return None
    if type(fact) not in CONDITIONS:
        raise LookupError(f"{fact.name} has no condition in {__name__}")
    session = Session.objects.filter(pk=fact.session_id).first()
    if session is None:
        return isinstance(fact, HOLDS_WITHOUT_SESSION)
    return CONDITIONS[type(fact)](fact, session, question.person_id)


def _still_waits_for(fact: events.SessionsWaiting, person_id: int) -> bool:
    """Return whether the person is still a moderator, and one of these sessions still waits for them."""
    person = User.objects.filter(pk=person_id).first()
    if person is None or not build_viewer(person).is_moderator:
        return False
    others = [waiting.session_id for waiting in fact.sessions if waiting.creator_id != person_id]
    return Session.objects.filter(pk__in=others, status=Status.PENDING_APPROVAL).exists()


def _always_holds(_fact: events.SessionFact, _session: Session, _person_id: int) -> bool:
    return True


def _is_requested(fact: events.BookingRequested, session: Session, _person_id: int) -> bool:
    # A request that was made again after a rejection has a fact of its own.
    return (
        _select_booking_requests(session, fact.member_id)
        .filter(status=PENDING, requested_at=fact.requested_at)
        .exists()
    )


def _is_participant(fact: events.BookingRequestApproved, session: Session, _person_id: int) -> bool:
    is_in = _select_booking_requests(session, fact.member_id).filter(status=APPROVED).exists()
    return is_in and session.status not in NOT_TAKING_PLACE


def _is_rejected(fact: events.BookingRequestRejected, session: Session, _person_id: int) -> bool:
    return _select_booking_requests(session, fact.member_id).filter(status=REJECTED).exists()


def _is_no_participant(fact: events.SeatLeft | events.ParticipantRemoved, session: Session, _person_id: int) -> bool:
    return not _select_booking_requests(session, fact.member_id).filter(status=APPROVED).exists()


def _was_rejected_at_start(_fact: events.SessionStarted, session: Session, person_id: int) -> bool:
    return _select_booking_requests(session, person_id).filter(status=REJECTED).exists()


def _is_open(_fact: events.SessionApproved, session: Session, _person_id: int) -> bool:
    return session.status in OPEN


def _still_starts_then(fact: events.SessionRescheduled, session: Session, person_id: int) -> bool:
    concerned = {session.creator_id, *list_participant_ids(session), *list_pending_requester_ids(session)}
    starts_then = session.date == fact.date and session.status not in FINAL
    return starts_then and person_id in concerned and can_see(session, person_id)


def _is_ahead_for_attendee(fact: events.ReminderDue, session: Session, person_id: int) -> bool:
    return _is_still_ahead(session, fact.date) and person_id in {session.creator_id, *list_participant_ids(session)}


def _is_undecided(fact: events.RequestsUndecided, session: Session, _person_id: int) -> bool:
    return _is_still_ahead(session, fact.date) and bool(list_pending_requester_ids(session))


def _select_booking_requests(session: Session, member_id: int) -> "QuerySet[BookingRequest]":
    return BookingRequest.objects.filter(session=session, user=member_id)


def _is_still_ahead(session: Session, date: datetime) -> bool:
    """Return whether the session will still start at that date."""
    return session.status in OPEN and session.date == date and date > clock.now()


PENDING, APPROVED, REJECTED = (
    BookingRequest.Status.PENDING,
    BookingRequest.Status.APPROVED,
    BookingRequest.Status.REJECTED,
)

# When a fact that members are notified of still holds, if its session exists.
CONDITIONS: dict[type[events.SessionFact], Condition] = {
    events.BookingRequested: _is_requested,
    events.BookingRequestApproved: _is_participant,
    events.BookingRequestRejected: _is_rejected,
    events.SeatLeft: _is_no_participant,
    events.ParticipantRemoved: _is_no_participant,
    events.SessionStarted: _was_rejected_at_start,
    events.SessionApproved: _is_open,
    events.SessionRejected: _always_holds,
    events.SessionRescheduled: _still_starts_then,
    events.SessionCancelled: _always_holds,
    events.SessionExpired: _always_holds,
    events.SessionDeleted: _always_holds,
    events.ReminderDue: _is_ahead_for_attendee,
    events.RequestsUndecided: _is_undecided,
}
# These hold even if the session has been deleted since: they tell members that something has ended for them.
HOLDS_WITHOUT_SESSION = (
    events.SessionDeleted,
    events.SessionCancelled,
    events.SessionExpired,
    events.SessionRejected,
    events.SessionStarted,
    events.BookingRequestRejected,
    events.ParticipantRemoved,
)
