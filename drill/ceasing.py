"""When what a fact says has stopped being so: then its mail may be dropped, and so may a notification served late."""

from drill.history import OPEN, History
from drill.records import Fact

# Said of a session that is open, to those who belong to it.
WHILE_OPEN = frozenset({"SessionApproved", "SessionRescheduled", "ReminderDue", "RequestsUndecided"})
CHANGES_PLACES = frozenset(
    {
        "SessionRescheduled",
        "SeatLeft",
        "ParticipantRemoved",
        "BookingRequestApproved",
        "BookingRequestRejected",
        "BookingRequestWithdrawn",
    }
)
CLOSES = frozenset({"SessionStarted", "SessionExpired", "SessionCancelled", "SessionRejected", "SessionDeleted"})
# What makes news about a request old, if it comes later and concerns the same member (or all).
ENDED_BY = {
    "BookingRequested": {
        "BookingRequestApproved",
        "BookingRequestRejected",
        "BookingRequestWithdrawn",
        "BookingRequested",
        *CLOSES,
    },
    "BookingRequestApproved": {"SeatLeft", "ParticipantRemoved"},
    "BookingRequestRejected": {"BookingRequested", "BookingRequestApproved"},
    "SeatLeft": {"BookingRequestApproved"},
    "ParticipantRemoved": {"BookingRequestApproved"},
}


def has_ceased(fact: Fact, histories: dict[int, History]) -> bool:
    """Whether it has stopped being so at some time before the end.

    What ends for good (a cancellation, an expiry, a rejection of a session, a deletion) never stops being so.
    """
    if fact.name == "SessionsWaiting":
        waiting = [each["session_id"] for each in fact.payload["sessions"]]
        return all(histories[session_id].status != "pending_approval" for session_id in waiting)
    if fact.session_id is None:
        return False
    history = histories[fact.session_id]
    if history.status == "gone":
        return fact.name != "SessionDeleted"
    later = [told.fact for told in history.told if told.fact.id > fact.id]
    if fact.name in ENDED_BY:
        member = fact.payload["member_id"]
        enders = ENDED_BY[fact.name]
        return any(other.name in enders and other.payload.get("member_id", member) == member for other in later)
    if fact.name in WHILE_OPEN:
        places_change = fact.name != "SessionApproved" and any(other.name in CHANGES_PLACES for other in later)
        return history.status not in OPEN or places_change
    return False
