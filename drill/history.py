"""What happened to each session, told again from the record of facts: the oracle's own understanding of the rules.

Facts of one session are in the order of their ids, since each change of a session holds its row. A fact that cannot
follow from those before it is noted as such.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from drill.records import Deed, Fact, Records

OPEN = frozenset({"approved", "scheduled"})
FINAL = frozenset({"completed", "cancelled", "expired", "gone"})
CLOSING = {
    "SessionRejected": "cancelled",
    "SessionCancelled": "cancelled",
    "SessionExpired": "expired",
    "SessionStarted": "ongoing",
    "SessionCompleted": "completed",
    "SessionDeleted": "gone",
}
# From where a fact may lead on, for those that change the status.
FOLLOWS = {
    "SessionApproved": {"pending_approval"},
    "SessionScheduled": {"approved"},
    "SessionRejected": {"pending_approval"},
    "SessionCancelled": {"pending_approval", "approved", "scheduled", "ongoing"},
    "SessionExpired": {"pending_approval", "approved", "scheduled"},
    "SessionStarted": {"scheduled"},
    "SessionCompleted": {"ongoing"},
}
# What becomes of a request: from what, to what.
BOOKING: dict[str, tuple[set[str | None], str | None]] = {
    "BookingRequested": ({None, "rejected"}, "pending"),
    "BookingRequestApproved": ({"pending", "rejected"}, "approved"),
    "BookingRequestRejected": ({"pending"}, "rejected"),
    "BookingRequestWithdrawn": ({"pending"}, None),
    "SeatLeft": ({"approved"}, None),
    "ParticipantRemoved": ({"approved"}, None),
}
BY_THE_CLOCK = frozenset({"SessionStarted", "SessionExpired", "SessionCompleted"})
# How early a creator may start.
EARLY = timedelta(minutes=15)
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class Span:
    """From one fact to another (`None`: until the end): what held in between, by the facts' ids exactly."""

    since_id: int
    since: datetime
    # When it was decided at the earliest: its fact is noted a little later.
    not_before: datetime
    until_id: int | None = None
    until: datetime | None = None

    def holds_at(self, fact: Fact) -> bool:
        return self.since_id < fact.id and (self.until_id is None or fact.id < self.until_id)

    def lasts(self, begin: datetime, end: datetime) -> bool:
        """Whether it holds from before the one instant until the other."""
        return self.since < begin and (self.until is None or self.until >= end)

    def close(self, fact: Fact) -> None:
        self.until_id, self.until = fact.id, fact.at


@dataclass
class OpenSpan(Span):
    """While it was open, with one start."""

    date: datetime = NEVER


class Beginning(TypedDict):
    """With what a span begins."""

    since_id: int
    since: datetime
    not_before: datetime


@dataclass
class Told:
    """A fact with who was concerned at that moment: who was in, and who had asked."""

    fact: Fact
    participants: frozenset[int]
    requesters: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What was so from one fact until the next."""

    since_id: int
    since: datetime
    creator_id: int
    status: str
    date: datetime
    requests: dict[int, str]

    def is_in(self, person: int) -> bool:
        return person == self.creator_id or self.requests.get(person) == "approved"


@dataclass
class History:
    """One session. `not_before` says of each fact when what it tells was decided at the earliest."""

    session_id: int
    creator_id: int
    not_before: dict[int, datetime]
    status: str = ""
    date: datetime = NEVER
    duration: int = 0
    requests: dict[int, str] = field(default_factory=dict)
    opened: list[OpenSpan] = field(default_factory=list)
    seats: dict[int, list[Span]] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    # In words, for whoever looks for the cause.
    impossible: list[str] = field(default_factory=list)
    early: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    # How long after its time the clock moved it.
    delays: list[timedelta] = field(default_factory=list)

    @property
    def participants(self) -> frozenset[int]:
        return frozenset(member for member, status in self.requests.items() if status == "approved")

    @property
    def requesters(self) -> frozenset[int]:
        return frozenset(member for member, status in self.requests.items() if status == "pending")

    @property
    def due_at(self) -> datetime | None:
        """When the clock moves it next, `None` once it is final."""
        if self.status in FINAL:
            return None
        return self.date + timedelta(minutes=self.duration) if self.status == "ongoing" else self.date

    def continue_with(self, fact: Fact) -> None:
        self.told.append(Told(fact=fact, participants=self.participants, requesters=self.requesters))
        self._hold_to_the_clock(fact)
        if fact.name in FOLLOWS and self.status not in FOLLOWS[fact.name]:
            self._note(self.impossible, fact, f"it was {self.status}")
        self._check_people(fact)
        if fact.name in BOOKING:
            self._book(fact)
        elif fact.name == "SessionApproved":
            self.status = "approved"
            self.opened.append(OpenSpan(**self._from(fact), date=self.date))
        elif fact.name == "SessionScheduled":
            self.status = "scheduled"
        elif fact.name == "SessionRescheduled":
            self._move(fact)
        elif fact.name in CLOSING:
            self._close(fact)
        self.moments.append(
            Moment(
                since_id=fact.id,
                since=fact.at,
                creator_id=self.creator_id,
                status=self.status,
                date=self.date,
                requests=dict(self.requests),
            )
        )

    def after(self, fact: Fact) -> list[Moment]:
        """What was so since, without what that fact itself tells."""
        return [moment for moment in self.moments if moment.since_id > fact.id]

    def between(self, begin: datetime, end: datetime) -> list[Moment]:
        """What was so at some time between the two, each that was."""
        began = [moment for moment in self.moments if moment.since <= end]
        first_later = next((number for number, moment in enumerate(began) if moment.since > begin), len(began))
        return began[max(first_later - 1, 0) :]

    def _hold_to_the_clock(self, fact: Fact) -> None:
        """The clock moves first: never too early, the right way, and before anything else happens after its time."""
        due_at = self.due_at
        if due_at is None or fact.name in ("SessionOffered", "ReminderDue", "RequestsUndecided"):
            return
        if fact.name in BY_THE_CLOCK and fact.actor_id is None:
            if fact.at < due_at:
                self._note(self.early, fact, f"it was due at {due_at}")
            starts = self.status == "scheduled" and bool(self.participants)
            if (fact.name == "SessionStarted") != starts and self.status != "ongoing":
                self._note(self.impossible, fact, "the clock had to move it elsewhere")
            self.delays.append(fact.at - due_at)
        elif fact.name == "SessionStarted":
            if fact.at < self.date - EARLY or not self.participants:
                self._note(self.early, fact, "it could not be started yet")
        elif self.not_before[fact.id] > due_at:
            self._note(self.late, fact, f"the clock had to move it at {due_at} before that")

    def _check_people(self, fact: Fact) -> None:
        for name, people in (("participant_ids", self.participants), ("requester_ids", self.requesters)):
            if name in fact.payload and frozenset(fact.payload[name]) != people:
                self._note(self.impossible, fact, f"{name} should be {sorted(people)}")

    def _book(self, fact: Fact) -> None:
        member = fact.payload["member_id"]
        allowed, becomes = BOOKING[fact.name]
        before = self.requests.pop(member, None)
        if before not in allowed or self.status not in OPEN:
            self._note(self.impossible, fact, f"the request was {before}, the session {self.status}")
        if before == "approved":
            self.seats[member][-1].close(fact)
        if becomes is not None:
            self.requests[member] = becomes
        if becomes == "approved":
            self.seats.setdefault(member, []).append(Span(**self._from(fact)))

    def _move(self, fact: Fact) -> None:
        self.date = datetime.fromisoformat(fact.payload["date"])
        if self.status in OPEN:
            self.opened[-1].close(fact)
            self.opened.append(OpenSpan(**self._from(fact), date=self.date))

    def _close(self, fact: Fact) -> None:
        if self.status in OPEN and self.opened:
            self.opened[-1].close(fact)
        self.status = CLOSING[fact.name]
        self.requests = {
            member: "rejected" if status == "pending" else status for member, status in self.requests.items()
        }

    def _from(self, fact: Fact) -> "Beginning":
        return {"since_id": fact.id, "since": fact.at, "not_before": self.not_before[fact.id]}

    def _note(self, where: list[str], fact: Fact, why: str) -> None:
        where.append(f"session {self.session_id}: {fact.name} #{fact.id} at {fact.at}, but {why}")


def histories_of(records: Records) -> dict[int, History]:
    """Every session's history, by its id."""
    durations = {deed.session_id: deed.duration for deed in _done(records.deeds, "offer")}
    not_before = _not_before(records)
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
        histories[fact.session_id].continue_with(fact)
    return histories


def slack_of(records: Records) -> timedelta:
    """What may lie between the clock that a sweep decided by and the one that its fact notes: a real second."""
    return timedelta(seconds=records.rate)


def _not_before(records: Records) -> dict[int, datetime]:
    """By each fact's id: when the deed that it tells of began, where it was one.

    The members do one thing after the other, so that the deed in whose time a fact falls is the one that caused it.
    """
    deeds = sorted(records.deeds, key=lambda deed: deed.before)
    begun = [deed.before for deed in deeds]
    earliest = {}
    for fact in records.facts:
        deed = deeds[max(bisect_right(begun, fact.at) - 1, 0)] if deeds else None
        is_its = deed is not None and fact.actor_id is not None and deed.before <= fact.at <= deed.after
        earliest[fact.id] = deed.before if deed is not None and is_its else fact.at
    return earliest


def _done(deeds: Iterable[Deed], action: str) -> list[Deed]:
    return [deed for deed in deeds if deed.action == action and deed.outcome == "done"]
