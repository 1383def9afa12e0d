"""Notifications that had to be made: one for each member of a fact's audience, but none for who caused the fact.

Reminders are counted in `drill.reminders`.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from drill.history import History, PublishedFact
from drill.records import Fact, Records
from drill.staleness import may_be_dropped

# The audience of each fact, by the history of its session; `drill.history` checks the lists in the fact's payload.
AUDIENCES: dict[str, Callable[[History, PublishedFact], set[int]]] = {
    "BookingRequested": lambda history, _: {history.creator_id},
    "BookingRequestApproved": lambda _, published: {published.fact.payload["member_id"]},
    "BookingRequestRejected": lambda _, published: {published.fact.payload["member_id"]},
    "SeatLeft": lambda history, _: {history.creator_id},
    "ParticipantRemoved": lambda _, published: {published.fact.payload["member_id"]},
    "SessionApproved": lambda history, _: {history.creator_id},
    "SessionRejected": lambda history, _: {history.creator_id},
    "SessionRescheduled": lambda history, published: {
        history.creator_id,
        *published.participants,
        *published.requesters,
    },
    "SessionCancelled": lambda history, published: {history.creator_id, *published.participants, *published.requesters},
    "SessionExpired": lambda history, published: {history.creator_id, *published.requesters},
    "SessionStarted": lambda _, published: set(published.requesters),
    "SessionDeleted": lambda history, published: {history.creator_id, *published.requesters},
    "RequestsUndecided": lambda history, _: {history.creator_id},
}


@dataclass
class NotificationCounts:
    due: int = 0
    missing: list[str] = field(default_factory=list)
    # More than one for a person and fact, or for somebody outside the audience.
    unexpected: list[str] = field(default_factory=list)


def count_notifications(records: Records, histories: dict[int, History]) -> NotificationCounts:
    counts = NotificationCounts()
    due = _list_due(records, histories)
    counts.due = len(due)
    facts = {fact.id: fact for fact in records.facts}
    retried = {failed.fact_id for failed in records.failed_deliveries}
    made = Counter(
        (each.fact_id, each.user_id) for each in records.notifications if facts[each.fact_id].name != "ReminderDue"
    )
    for fact_id, person in sorted(due - made.keys()):
        # A retry makes no notification if the fact no longer holds.
        if not (fact_id in retried and may_be_dropped(facts[fact_id], person, histories)):
            counts.missing.append(f"{facts[fact_id].name} #{fact_id}, member {person}")
    for (fact_id, person), times in made.items():
        wanted = 1 if (fact_id, person) in due else 0
        counts.unexpected += [f"{facts[fact_id].name} #{fact_id}, member {person}"] * (times - wanted)
    return counts


def _list_due(records: Records, histories: dict[int, History]) -> set[tuple[int, int]]:
    due = {
        (published.fact.id, person)
        for history in histories.values()
        for published in history.facts
        if published.fact.name in AUDIENCES
        for person in AUDIENCES[published.fact.name](history, published) - {published.fact.actor_id}
    }
    digests = [fact for fact in records.facts if fact.name == "SessionsWaiting"]
    return due | {(fact.id, moderator) for fact in digests for moderator in _list_recipients(fact, records)}


def _list_recipients(digest: Fact, records: Records) -> list[int]:
    """Return the moderators who may decide on a session of the digest: nobody decides on their own."""
    creators = {waiting["creator_id"] for waiting in digest.payload["sessions"]}
    return [moderator for moderator in records.moderators if creators - {moderator}]
