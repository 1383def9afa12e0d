"""When what a fact says has stopped being so: then its mail may be dropped, and so may a notification served late; and
once it clearly has, nobody is to be told of it any more."""

from collections.abc import Callable
from datetime import datetime
from enum import Enum, auto

from drill.history import OPEN, History, Moment
from drill.records import Fact

AHEAD = OPEN | {"pending_approval", "ongoing"}
NOT_TAKING_PLACE = frozenset({"cancelled", "expired", "gone"})


class Validity(Enum):
    # It has to be told.
    HOLDS = auto()
    # It may be told or not.
    IN_DOUBT = auto()
    # It must not be told.
    CEASED = auto()


Judge = Callable[[Fact, int, Moment, datetime], Validity]


def _is_so(holds: bool, otherwise: Validity = Validity.CEASED) -> Validity:
    return Validity.HOLDS if holds else otherwise


def _reminder(fact: Fact, person: int, now: Moment, at: datetime) -> Validity:
    return _is_so(_begins_as_said(fact, now) and at < now.date and now.is_in(person))


def _undecided(fact: Fact, _person: int, now: Moment, at: datetime) -> Validity:
    return _is_so(_begins_as_said(fact, now) and at < now.date and "pending" in now.requests.values())


def _begins_as_said(fact: Fact, now: Moment) -> bool:
    return now.status in OPEN and now.date == datetime.fromisoformat(fact.payload["date"])


def _moved(fact: Fact, person: int, now: Moment, _at: datetime) -> Validity:
    if now.status not in AHEAD or now.date != datetime.fromisoformat(fact.payload["date"]):
        return Validity.CEASED
    # Nobody who has left, or was turned down, has to be told.
    return _is_so(now.is_in(person) or now.requests.get(person) == "pending", Validity.IN_DOUBT)


def _session_approved(_fact: Fact, _person: int, now: Moment, _at: datetime) -> Validity:
    return _is_so(now.status in OPEN, Validity.CEASED if now.status in NOT_TAKING_PLACE else Validity.IN_DOUBT)


def _requested(fact: Fact, _person: int, now: Moment, _at: datetime) -> Validity:
    return _is_so(_request(fact, now) == "pending")


def _let_in(fact: Fact, _person: int, now: Moment, _at: datetime) -> Validity:
    return _is_so(_request(fact, now) == "approved" and now.status not in NOT_TAKING_PLACE)


def _turned_down(fact: Fact, _person: int, now: Moment, _at: datetime) -> Validity:
    """It happened to them, and is told although the session is gone since; unless they have asked again."""
    request = _request(fact, now)
    return _is_so(request == "rejected", Validity.IN_DOUBT if request is None else Validity.CEASED)


def _out(fact: Fact, _person: int, now: Moment, _at: datetime) -> Validity:
    return _is_so(_request(fact, now) != "approved")


def _left(fact: Fact, person: int, now: Moment, at: datetime) -> Validity:
    return Validity.IN_DOUBT if now.status == "gone" else _out(fact, person, now, at)


def _request(fact: Fact, now: Moment) -> str | None:
    return now.requests.get(fact.payload["member_id"])


# What is not named here is so for ever: a cancellation, an expiry, a rejection of a session, a deletion, and that the
# start has closed a request.
JUDGES: dict[str, Judge] = {
    "ReminderDue": _reminder,
    "RequestsUndecided": _undecided,
    "SessionRescheduled": _moved,
    "SessionApproved": _session_approved,
    "BookingRequested": _requested,
    "BookingRequestApproved": _let_in,
    "BookingRequestRejected": _turned_down,
    "SeatLeft": _left,
    "ParticipantRemoved": _out,
}


def has_ceased(fact: Fact, person: int, histories: dict[int, History]) -> bool:
    """Whether it was right not to tell this person of it at some time before the end."""
    if fact.name == "SessionsWaiting":
        return all(histories[session_id].status != "pending_approval" for session_id in _waiting(fact))
    if fact.session_id is None or fact.name not in JUDGES:
        return False
    judge = JUDGES[fact.name]
    later = histories[fact.session_id].after(fact)
    return any(judge(fact, person, moment, moment.since) is not Validity.HOLDS for moment in later)


def is_stale(fact: Fact, person: int, histories: dict[int, History], begin: datetime, end: datetime) -> bool:
    """Whether it was wrong to tell this person of it at any time between the two."""
    if fact.name == "SessionsWaiting":
        moments = [moment for each in _waiting(fact) for moment in histories[each].between(begin, end)]
        return all(moment.status != "pending_approval" for moment in moments)
    if fact.session_id is None or fact.name not in JUDGES:
        return False
    judge = JUDGES[fact.name]
    moments = histories[fact.session_id].between(begin, end)
    return all(judge(fact, person, moment, max(moment.since, begin)) is Validity.CEASED for moment in moments)


def _waiting(digest: Fact) -> list[int]:
    return [each["session_id"] for each in digest.payload["sessions"]]
