"""Histories of sessions, replayed from the record of facts: the oracle's own model of the rules.

Facts of one session are in the order of their ids, since each change of a session locks its row. A fact that the model
does not allow after those before it is recorded as a violation.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from drill.records import Fact, MemberAction, Records

OPEN = frozenset({"approved", "scheduled"})
FINAL = frozenset({"completed", "cancelled", "expired", "deleted"})
CLOSING_STATUS = {
    "SessionRejected": "cancelled",
    "SessionCancelled": "cancelled",
    "SessionExpired": "expired",
    "SessionStarted": "ongoing",
    "SessionCompleted": "completed",
    "SessionDeleted": "deleted",
}
# The statuses in which a fact may be published, for those that change the status.
ALLOWED_BEFORE = {
    "SessionApproved": {"pending_approval"},
    "SessionScheduled": {"approved"},
    "SessionRejected": {"pending_approval"},
    "SessionCancelled": {"pending_approval", "approved", "scheduled", "ongoing"},
    "SessionExpired": {"pending_approval", "approved", "scheduled"},
    "SessionStarted": {"scheduled"},
    "SessionCompleted": {"ongoing"},
}
# Statuses of a booking request before and after a fact; `None` is no request.
BOOKING_TRANSITIONS: dict[str, tuple[set[str | None], str | None]] = {
    "BookingRequested": ({None, "rejected"}, "pending"),
    "BookingRequestApproved": ({"pending", "rejected"}, "approved"),
    "BookingRequestRejected": ({"pending"}, "rejected"),
    "BookingRequestWithdrawn": ({"pending"}, None),
    "SeatLeft": ({"approved"}, None),
    "ParticipantRemoved": ({"approved"}, None),
}
TIMED_FACTS = frozenset({"SessionStarted", "SessionExpired", "SessionCompleted"})
# How early a creator may start.
MAX_EARLY_START = timedelta(minutes=15)
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class Span:
    """What held from one fact until another (`None`: until the end), delimited by their ids."""

    since_id: int
    since: datetime
    # The earliest time of the decision: its fact is recorded a little later.
    not_before: datetime
    until_id: int | None = None
    until: datetime | None = None

    def holds_at(self, fact: Fact) -> bool:
        return self.since_id < fact.id and (self.until_id is None or fact.id < self.until_id)

    def lasts(self, begin: datetime, end: datetime) -> bool:
        """Whether it holds from before `begin` until `end`."""
        return self.since < begin and (self.until is None or self.until >= end)

    def close(self, fact: Fact) -> None:
        self.until_id, self.until = fact.id, fact.at


@dataclass
class OpenSpan(Span):
    """While a session was open, with one start."""

    date: datetime = NEVER


class SpanStart(TypedDict):
    since_id: int
    since: datetime
    not_before: datetime


@dataclass
class PublishedFact:
    """A fact with the participants and pending requesters just before it."""

    fact: Fact
    participants: frozenset[int]
    requesters: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The state of a session from one fact until the next."""

    since_id: int
    since: datetime
    creator_id: int
    status: str
    date: datetime
    requests: dict[int, str]

    def takes_part(self, person: int) -> bool:
        return person == self.creator_id or self.requests.get(person) == "approved"


@dataclass
class History:
    """One session. `not_before` has the earliest time of the decision behind each fact, by its id."""

    session_id: int
    creator_id: int
    not_before: dict[int, datetime]
    status: str = ""
    date: datetime = NEVER
    duration: int = 0
    requests: dict[int, str] = field(default_factory=dict)
    opened: list[OpenSpan] = field(default_factory=list)
    seats: dict[int, list[Span]] = field(default_factory=dict)
    facts: list[PublishedFact] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)
    # Violations, as sentences.
    impossible: list[str] = field(default_factory=list)
    early: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    # Between a due transition and its fact.
    delays: list[timedelta] = field(default_factory=list)

    @property
    def participants(self) -> frozenset[int]:
        return frozenset(member for member, status in self.requests.items() if status == "approved")

    @property
    def requesters(self) -> frozenset[int]:
        return frozenset(member for member, status in self.requests.items() if status == "pending")

    @property
    def due_at(self) -> datetime | None:
        """When the next transition by time is due, `None` in a final status."""
        if self.status in FINAL:
            return None
        return self.date + timedelta(minutes=self.duration) if self.status == "ongoing" else self.date

    def apply(self, fact: Fact) -> None:
        self.facts.append(PublishedFact(fact=fact, participants=self.participants, requesters=self.requesters))
        self._check_due_time(fact)
        if fact.name in ALLOWED_BEFORE and self.status not in ALLOWED_BEFORE[fact.name]:
            self._add_violation(self.impossible, fact, f"it was {self.status}")
        self._check_people_in_payload(fact)
        if fact.name in BOOKING_TRANSITIONS:
            self._apply_booking(fact)
        elif fact.name == "SessionApproved":
            self.status = "approved"
            self.opened.append(OpenSpan(**self._build_span_start(fact), date=self.date))
        elif fact.name == "SessionScheduled":
            self.status = "scheduled"
        elif fact.name == "SessionRescheduled":
            self._apply_reschedule(fact)
        elif fact.name in CLOSING_STATUS:
            self._apply_closing(fact)
        self.snapshots.append(
            Snapshot(
                since_id=fact.id,
                since=fact.at,
                creator_id=self.creator_id,
                status=self.status,
                date=self.date,
                requests=dict(self.requests),
            )
        )

    def list_snapshots_after(self, fact: Fact) -> list[Snapshot]:
        """Return the snapshots after the one that the fact itself began."""
        return [snapshot for snapshot in self.snapshots if snapshot.since_id > fact.id]

    def list_snapshots_between(self, begin: datetime, end: datetime) -> list[Snapshot]:
        """Return each snapshot that held at some time between the two."""
        began = [snapshot for snapshot in self.snapshots if snapshot.since <= end]
        first_later = next((number for number, snapshot in enumerate(began) if snapshot.since > begin), len(began))
        return began[max(first_later - 1, 0) :]

    def _check_due_time(self, fact: Fact) -> None:
        """Check that transitions by time come no earlier than due, and before anything decided after that."""
        due_at = self.due_at
        if due_at is None or fact.name in ("SessionOffered", "ReminderDue", "RequestsUndecided"):
            return
        if fact.name in TIMED_FACTS and fact.actor_id is None:
            if fact.at < due_at:
                self._add_violation(self.early, fact, f"it was due at {due_at}")
            starts = self.status == "scheduled" and bool(self.participants)
            if (fact.name == "SessionStarted") != starts and self.status != "ongoing":
                self._add_violation(self.impossible, fact, "another transition was due")
            self.delays.append(fact.at - due_at)
        elif fact.name == "SessionStarted":
            if fact.at < self.date - MAX_EARLY_START or not self.participants:
                self._add_violation(self.early, fact, "it could not be started yet")
        elif self.not_before[fact.id] > due_at:
            self._add_violation(self.late, fact, f"a transition was due at {due_at} before that")

    def _check_people_in_payload(self, fact: Fact) -> None:
        for name, people in (("participant_ids", self.participants), ("requester_ids", self.requesters)):
            if name in fact.payload and frozenset(fact.payload[name]) != people:
                self._add_violation(self.impossible, fact, f"{name} should be {sorted(people)}")

    def _apply_booking(self, fact: Fact) -> None:
        member = fact.payload["member_id"]
        allowed, becomes = BOOKING_TRANSITIONS[fact.name]
        before = self.requests.pop(member, None)
        if before not in allowed or self.status not in OPEN:
            self._add_violation(self.impossible, fact, f"the request was {before}, the session {self.status}")
        if before == "approved":
            self.seats[member][-1].close(fact)
        if becomes is not None:
            self.requests[member] = becomes
        if becomes == "approved":
            self.seats.setdefault(member, []).append(Span(**self._build_span_start(fact)))

    def _apply_reschedule(self, fact: Fact) -> None:
        self.date = datetime.fromisoformat(fact.payload["date"])
        if self.status in OPEN:
            self.opened[-1].close(fact)
            self.opened.append(OpenSpan(**self._build_span_start(fact), date=self.date))

    def _apply_closing(self, fact: Fact) -> None:
        if self.status in OPEN and self.opened:
            self.opened[-1].close(fact)
        self.status = CLOSING_STATUS[fact.name]
        self.requests = {
            member: "rejected" if status == "pending" else status for member, status in self.requests.items()
        }

    def _build_span_start(self, fact: Fact) -> "SpanStart":
        return {"since_id": fact.id, "since": fact.at, "not_before": self.not_before[fact.id]}

    def _add_violation(self, where: list[str], fact: Fact, why: str) -> None:
        where.append(f"session {self.session_id}: {fact.name} #{fact.id} at {fact.at}, but {why}")


def build_histories(records: Records) -> dict[int, History]:
    """Replay the facts of each session; returns histories by the session's id."""
    durations = {action.session_id: action.duration for action in _select_done(records.actions, "offer")}
    not_before = _find_earliest_times(records)
    histories: dict[int, History] = {}
    for fact in records.facts:
        if fact.session_id is None:
            continue
        if fact.name == "SessionOffered":
            histories[fact.session_id] = History(
                session_id=fact.session_id,
                creator_id=fact.payload["creator_id"],
                not_before=not_before,
                status="pending_approval",
                date=datetime.fromisoformat(fact.payload["date"]),
                duration=durations.get(fact.session_id) or 0,
            )
        histories[fact.session_id].apply(fact)
    return histories


def _find_earliest_times(records: Records) -> dict[int, datetime]:
    """Return, by each fact's id, when the action that caused it began; without one, when the fact was recorded.

    Members act one after the other, so a fact was caused by the action during which it was recorded.
    """
    actions = sorted(records.actions, key=lambda action: action.before)
    begun = [action.before for action in actions]
    earliest = {}
    for fact in records.facts:
        action = actions[max(bisect_right(begun, fact.at) - 1, 0)] if actions else None
        is_cause = action is not None and fact.actor_id is not None and action.before <= fact.at <= action.after
        earliest[fact.id] = action.before if action is not None and is_cause else fact.at
    return earliest


def _select_done(actions: Iterable[MemberAction], name: str) -> list[MemberAction]:
    return [action for action in actions if action.name == name and action.outcome == "done"]
