"""Who had to be told of what: one notification for each person whom a fact concerns, but none for who caused it.

Reminders are counted by themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from drill.history import History, Told
from drill.records import Fact, Records
from drill.staleness import has_ceased

# Whom a fact concerns, by what was so when it was published; the fact's own lists are held to that elsewhere.
CONCERNED: dict[str, Callable[[History, Told], set[int]]] = {
    "BookingRequested": lambda history, _: {history.creator_id},
    "BookingRequestApproved": lambda _, told: {told.fact.payload["member_id"]},
    "BookingRequestRejected": lambda _, told: {told.fact.payload["member_id"]},
    "SeatLeft": lambda history, _: {history.creator_id},
    "ParticipantRemoved": lambda _, told: {told.fact.payload["member_id"]},
    "SessionApproved": lambda history, _: {history.creator_id},
    "SessionRejected": lambda history, _: {history.creator_id},
    "SessionRescheduled": lambda history, told: {history.creator_id, *told.participants, *told.requesters},
    "SessionCancelled": lambda history, told: {history.creator_id, *told.participants, *told.requesters},
    "SessionExpired": lambda history, told: {history.creator_id, *told.requesters},
    "SessionStarted": lambda _, told: set(told.requesters),
    "SessionDeleted": lambda history, told: {history.creator_id, *told.requesters},
    "RequestsUndecided": lambda history, _: {history.creator_id},
}


@dataclass
class Notices:
    due: int = 0
    missing: list[str] = field(default_factory=list)
    # More than one for one person and fact, or for somebody whom it does not concern.
    surplus: list[str] = field(default_factory=list)


def count_notices(records: Records, histories: dict[int, History]) -> Notices:
    counted = Notices()
    due = _due(records, histories)
    counted.due = len(due)
    facts = {fact.id: fact for fact in records.facts}
    served_late = {failed.fact_id for failed in records.failed_deliveries}
    told: dict[tuple[int, int], int] = {}
    for notice in records.notices:
        if facts[notice.fact_id].name != "ReminderDue":
            told[notice.fact_id, notice.user_id] = told.get((notice.fact_id, notice.user_id), 0) + 1
    for fact_id, person in sorted(due - told.keys()):
        # What was served late is dropped where it no longer held.
        if not (fact_id in served_late and has_ceased(facts[fact_id], person, histories)):
            counted.missing.append(f"{facts[fact_id].name} #{fact_id}, member {person}")
    for (fact_id, person), times in told.items():
        wanted = 1 if (fact_id, person) in due else 0
        counted.surplus += [f"{facts[fact_id].name} #{fact_id}, member {person}"] * (times - wanted)
    return counted


def _due(records: Records, histories: dict[int, History]) -> set[tuple[int, int]]:
    due = {
        (told.fact.id, person)
        for history in histories.values()
        for told in history.told
        if told.fact.name in CONCERNED
        for person in CONCERNED[told.fact.name](history, told) - {told.fact.actor_id}
    }
    digests = [fact for fact in records.facts if fact.name == "SessionsWaiting"]
    return due | {(fact.id, moderator) for fact in digests for moderator in _moderators(fact, records)}


def _moderators(digest: Fact, records: Records) -> list[int]:
    """Nobody decides on a session of their own."""
    creators = {waiting["creator_id"] for waiting in digest.payload["sessions"]}
    return [moderator for moderator in records.moderators if creators - {moderator}]
