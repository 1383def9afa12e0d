"""Whether a fact still holds: when its mail may be dropped, and when its news must not be sent any more."""

from collections.abc import Callable
from datetime import datetime
from enum import Enum, auto

from drill.history import OPEN, History, Snapshot
from drill.records import Fact

BEFORE_END = OPEN | {"pending_approval", "ongoing"}
NOT_TAKING_PLACE = frozenset({"cancelled", "expired", "deleted"})


class Validity(Enum):
    # It has to be sent.
    HOLDS = auto()
    # It may be sent or dropped.
    IN_DOUBT = auto()
    # It must not be sent.
    CEASED = auto()


# Judges whether a fact still holds for a person, in a snapshot of its session and at a time.
ValidityRule = Callable[[Fact, int, Snapshot, datetime], Validity]


def _hold_if(holds: bool, otherwise: Validity = Validity.CEASED) -> Validity:
    return Validity.HOLDS if holds else otherwise


def _check_reminder(fact: Fact, person: int, now: Snapshot, at: datetime) -> Validity:
    return _hold_if(_is_start_unchanged(fact, now) and at < now.date and now.takes_part(person))


def _check_nudge(fact: Fact, _person: int, now: Snapshot, at: datetime) -> Validity:
    return _hold_if(_is_start_unchanged(fact, now) and at < now.date and "pending" in now.requests.values())


def _is_start_unchanged(fact: Fact, now: Snapshot) -> bool:
    return now.status in OPEN and now.date == datetime.fromisoformat(fact.payload["date"])


def _check_reschedule(fact: Fact, person: int, now: Snapshot, _at: datetime) -> Validity:
    if now.status not in BEFORE_END or now.date != datetime.fromisoformat(fact.payload["date"]):
        return Validity.CEASED
    # For those who have left or were rejected, either is right.
    return _hold_if(now.takes_part(person) or now.requests.get(person) == "pending", Validity.IN_DOUBT)


def _check_session_approval(_fact: Fact, _person: int, now: Snapshot, _at: datetime) -> Validity:
    return _hold_if(now.status in OPEN, Validity.CEASED if now.status in NOT_TAKING_PLACE else Validity.IN_DOUBT)


def _check_request(fact: Fact, _person: int, now: Snapshot, _at: datetime) -> Validity:
    return _hold_if(_get_request(fact, now) == "pending")


def _check_approval(fact: Fact, _person: int, now: Snapshot, _at: datetime) -> Validity:
    return _hold_if(_get_request(fact, now) == "approved" and now.status not in NOT_TAKING_PLACE)


def _check_rejection(fact: Fact, _person: int, now: Snapshot, _at: datetime) -> Validity:
    """A rejection holds even after the session has ended, until the member requests again."""
    request = _get_request(fact, now)
    return _hold_if(request == "rejected", Validity.IN_DOUBT if request is None else Validity.CEASED)


def _check_removal(fact: Fact, _person: int, now: Snapshot, _at: datetime) -> Validity:
    return _hold_if(_get_request(fact, now) != "approved")


def _check_leaving(fact: Fact, person: int, now: Snapshot, at: datetime) -> Validity:
    return Validity.IN_DOUBT if now.status == "deleted" else _check_removal(fact, person, now, at)


def _get_request(fact: Fact, now: Snapshot) -> str | None:
    return now.requests.get(fact.payload["member_id"])


# Other facts always hold: a cancellation, an expiry, the rejection or deletion of a session, and that its start has
# closed a request.
VALIDITY_RULES: dict[str, ValidityRule] = {
    "ReminderDue": _check_reminder,
    "RequestsUndecided": _check_nudge,
    "SessionRescheduled": _check_reschedule,
    "SessionApproved": _check_session_approval,
    "BookingRequested": _check_request,
    "BookingRequestApproved": _check_approval,
    "BookingRequestRejected": _check_rejection,
    "SeatLeft": _check_leaving,
    "ParticipantRemoved": _check_removal,
}


def may_be_dropped(fact: Fact, person: int, histories: dict[int, History]) -> bool:
    """Whether at some time before the end the fact did not have to be sent to this person."""
    if fact.name == "SessionsWaiting":
        return all(histories[session_id].status != "pending_approval" for session_id in _list_session_ids(fact))
    if fact.session_id is None or fact.name not in VALIDITY_RULES:
        return False
    check = VALIDITY_RULES[fact.name]
    later = histories[fact.session_id].list_snapshots_after(fact)
    return any(check(fact, person, snapshot, snapshot.since) is not Validity.HOLDS for snapshot in later)


def is_stale(fact: Fact, person: int, histories: dict[int, History], begin: datetime, end: datetime) -> bool:
    """Whether at no time between the two the fact could rightly be sent to this person."""
    if fact.name == "SessionsWaiting":
        waiting = [histories[session_id] for session_id in _list_session_ids(fact)]
        snapshots = [snapshot for history in waiting for snapshot in history.list_snapshots_between(begin, end)]
        return all(snapshot.status != "pending_approval" for snapshot in snapshots)
    if fact.session_id is None or fact.name not in VALIDITY_RULES:
        return False
    check = VALIDITY_RULES[fact.name]
    snapshots = histories[fact.session_id].list_snapshots_between(begin, end)
    return all(check(fact, person, snapshot, max(snapshot.since, begin)) is Validity.CEASED for snapshot in snapshots)


def _list_session_ids(digest: Fact) -> list[int]:
    return [session["session_id"] for session in digest.payload["sessions"]]
