"""What the members will do, drawn beforehand: a seed makes their choices repeatable.

Instants are seconds of the product's clock since the beginning.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from drill.mail_preferences import KINDS
from drill.scenario import MINUTE, Scenario

# Just before the beginning, while the clock still stands.
BEFORE = -1.0
DAY = 24 * 60 * MINUTE
# One after the other: nothing at all, more, less, and what is mailed anyway.
CHOICES: tuple[dict[str, bool], ...] = (
    dict.fromkeys(KINDS, False),
    {"seat_left": True},
    {"reminder": False, "session_rescheduled": False},
    {},
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that one member does. The rest of a chain is left out once one of its steps was refused."""

    at: float
    chain: int
    action: str
    # Numbers, from 0: the ids are not known yet.
    session: int
    by: int
    whom: int = -1
    value: Any = None


@dataclass(frozen=True, kw_only=True)
class PlannedSession:
    number: int
    creator: int
    start: float
    duration: int
    places: int


@dataclass
class Plan:
    sessions: list[PlannedSession] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


class Planner:
    """Members have numbers; those above `scenario.members` are the two moderators."""

    # Fate of a session, and how often it comes among a hundred.
    FATES = {
        "ordinary": 38,
        "cancelled": 12,
        "moderated away": 7,
        "moved": 14,
        "moved and back": 6,
        "lonely": 7,
        "undecided": 5,
        "rejected": 4,
        "begun early": 4,
        "deleted": 3,
    }

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        # Choices to be repeated, not secrets.
        self.random = Random(scenario.seed)  # noqa: S311
        self.plan = Plan()
        self.chains = 0

    def draw(self) -> Plan:
        first, last = self.scenario.first_start * MINUTE, self.scenario.last_start * MINUTE
        self._draw_choices()
        for number in range(self.scenario.sessions):
            start = float(int(self.random.uniform(first, last)))
            self._draw_session(number, start)
        for number in range(self.scenario.sessions, self.scenario.sessions + max(3, self.scenario.sessions // 20)):
            self._draw_tomorrow(number, float(int(DAY + self.random.uniform(2 * MINUTE, last - 3 * MINUTE))))
        end = self.scenario.seconds * self.scenario.rate
        self._draw_waiting(end)
        for number in range(max(3, self.scenario.members // 4)):
            self._step(self.random.uniform(0, end), "register", session=-1, by=number, chain=self._chain())
        self.plan.steps.sort(key=lambda step: step.at)
        return self.plan

    def _draw_choices(self) -> None:
        """What members want to be mailed of, before there is news; many leave it as it is."""
        for number in range(self.scenario.members):
            choice = CHOICES[number % len(CHOICES)]
            if choice:
                self._step(BEFORE, "choose", session=-1, by=number, value=choice)

    # --- A session --------------------------------------------------------------------------------------------

    def _draw_session(self, number: int, start: float) -> None:
        fate = self.random.choices(list(self.FATES), weights=list(self.FATES.values()))[0]
        session = self._planned(number, start)
        moderator = self._moderator()
        chain = self._offer(session)
        if fate == "undecided":
            return
        # Most are approved at once; some so late that a reminder is over already.
        offered = self.plan.steps[-1].at
        decided = offered if self.random.random() < 0.7 else self.random.uniform(0, start * 0.9)
        if fate == "rejected":
            self._step(decided, "reject_session", session=number, by=moderator, chain=chain)
            return
        self._step(decided, "approve_session", session=number, by=moderator, chain=chain)
        begins = max(decided, 0.0)
        self._draw_fate(session, fate, begins)
        if fate != "deleted":
            self._draw_bookings(session, begins, lonely=fate == "lonely")
        if self.random.random() < 0.2:
            edited = self.random.uniform(begins, start)
            self._step(edited, "edit", session=number, by=session.creator, value=f"Session {number}, once more")

    def _draw_fate(self, session: PlannedSession, fate: str, begins: float) -> None:
        number, creator = session.number, session.creator
        moment = self._moment(session, begins)
        match fate:
            case "cancelled":
                self._step(moment, "cancel", session=number, by=creator)
            case "moderated away":
                self._step(moment, "cancel", session=number, by=self._moderator())
            case "moved":
                self._step(moment, "move", session=number, by=creator, value=self._other_start(session, moment))
            case "moved and back":
                chain = self._chain()
                away = self._other_start(session, moment)
                self._step(moment, "move", session=number, by=creator, value=away, chain=chain)
                back = moment + self.random.uniform(10, 4 * MINUTE)
                self._step(back, "move", session=number, by=creator, value=session.start, chain=chain)
            case "begun early":
                chain = self._chain()
                early = self.random.uniform(max(begins, session.start - 10 * MINUTE), session.start)
                self._step(early, "start", session=number, by=creator, chain=chain)
                if self.random.random() < 0.5:
                    self._step(early + 5 * MINUTE, "end", session=number, by=creator, chain=chain)
            case "deleted":
                self._step(moment, "delete", session=number, by=creator)

    def _draw_tomorrow(self, number: int, start: float) -> None:
        """Begins in a day and a little: its creator is asked to decide, if somebody waits then."""
        session = self._planned(number, start)
        chain = self._offer(session)
        self._step(self.plan.steps[-1].at, "approve_session", session=number, by=self._moderator(), chain=chain)
        day_before = start - DAY
        for member in self._others(session, 2):
            chain = self._chain()
            asked = self.random.uniform(0, day_before)
            self._step(asked, "ask", session=number, by=member, chain=chain)
            if self.random.random() < 0.5:
                decided = asked + self.random.uniform(5, 4 * MINUTE)
                self._step(decided, "admit", session=number, by=session.creator, whom=member, chain=chain)

    def _draw_waiting(self, end: float) -> None:
        """Nobody decides on these: moderators are told of them, and then of those that came since."""
        first = len(self.plan.sessions)
        for number in range(first, first + max(3, self.scenario.sessions // 20)):
            session = self._planned(number, float(int(DAY + self.random.uniform(0, end))))
            offered = self.random.uniform(0, end)
            self._step(offered, "offer", session=number, by=session.creator, chain=self._chain())

    def _draw_bookings(self, session: PlannedSession, begins: float, *, lonely: bool) -> None:
        for member in self._others(session, self.random.randint(1, 5)):
            chain = self._chain()
            at = self.random.uniform(begins, begins + 0.6 * (session.start - begins))
            for action, by_member in self._story(lonely=lonely):
                by = member if by_member else session.creator
                if action in ("remove", "admit", "turn_down") and self.random.random() < 0.2:
                    by = self._moderator()
                self._step(at, action, session=session.number, by=by, whom=member, chain=chain)
                at = max(at + self.random.uniform(1, 40), self._moment(session, at))

    def _story(self, *, lonely: bool) -> Iterator[tuple[str, bool]]:
        """What becomes of one request: actions, each with whether the requester takes it."""
        yield "ask", True
        chance = self.random.random()
        if lonely or chance < 0.15:
            return
        if chance < 0.23:
            yield "leave", True
            return
        if chance < 0.35:
            yield "turn_down", False
            if self.random.random() < 0.5:
                return
            yield "ask", True
        yield "admit", False
        chance = self.random.random()
        if chance < 0.15:
            yield "leave", True
            if self.random.random() < 0.5:
                yield "ask", True
                yield "admit", False
        elif chance < 0.25:
            yield "remove", False

    # --- Instants and people ----------------------------------------------------------------------------------

    def _moment(self, session: PlannedSession, begins: float) -> float:
        """Some time before the start; every third near the instant at which people are reminded."""
        if self.random.random() < 0.35:
            due = session.start - self.random.choice(self.scenario.offsets) * MINUTE
            return max(begins, due + self.random.uniform(-30, 60))
        return self.random.uniform(begins, max(begins, session.start))

    def _other_start(self, session: PlannedSession, moment: float) -> float:
        latest = self.scenario.last_start * MINUTE
        start = session.start + self.random.uniform(-4, 10) * MINUTE
        other = float(int(min(latest, max(moment + MINUTE, start))))
        return other if other != session.start else other + 1

    def _planned(self, number: int, start: float) -> PlannedSession:
        session = PlannedSession(
            number=number,
            creator=self.random.randrange(self.scenario.members),
            start=start,
            duration=self.random.choice((15, 15, 20, 45)),
            places=self.random.randint(2, 6),
        )
        self.plan.sessions.append(session)
        return session

    def _offer(self, session: PlannedSession) -> int:
        chain = self._chain()
        at = BEFORE if self.random.random() < 0.8 else 0.0
        self._step(at, "offer", session=session.number, by=session.creator, chain=chain)
        return chain

    def _moderator(self) -> int:
        return self.scenario.members + self.random.randrange(2)

    def _others(self, session: PlannedSession, count: int) -> list[int]:
        others = [member for member in range(self.scenario.members) if member != session.creator]
        return self.random.sample(others, min(count, len(others)))

    def _chain(self) -> int:
        self.chains += 1
        return self.chains

    def _step(
        self, at: float, action: str, *, session: int, by: int, whom: int = -1, value: Any = None, chain: int = 0
    ) -> None:
        step = Step(at=at, chain=chain or self._chain(), action=action, session=session, by=by, whom=whom, value=value)
        self.plan.steps.append(step)
