"""The actions of the members, drawn at random from a seed before the drill starts.

Times are seconds of the product's clock since the start.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from drill.mail_preferences import KINDS
from drill.scenario import MINUTE, Scenario

# The time of actions that are taken before the clock starts.
BEFORE_START = -1.0
DAY = 24 * 60 * MINUTE
# Assigned to members in turn: no mails, more mails, fewer mails, the defaults.
PREFERENCES: tuple[dict[str, bool], ...] = (
    dict.fromkeys(KINDS, False),
    {"seat_left": True},
    {"reminder": False, "session_rescheduled": False},
    {},
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One action of one member. Once a step of a chain was refused, its other steps are skipped."""

    at: float
    chain: int
    action: str
    # Numbers in the plan, from 0, since ids are not known yet.
    session: int
    by: int
    target: int = -1
    value: Any = None


@dataclass(frozen=True, kw_only=True)
class PlannedSession:
    number: int
    creator: int
    start: float
    duration: int
    max_participants: int


@dataclass
class Plan:
    sessions: list[PlannedSession] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


class Planner:
    """Draws a plan. Members are numbers; those from `scenario.members` on are the two moderators."""

    # What happens to a session, in percent.
    FATE_WEIGHTS = {
        "ordinary": 38,
        "cancelled": 12,
        "cancelled by a moderator": 7,
        "rescheduled": 14,
        "rescheduled and back": 6,
        "nobody approved": 7,
        "never decided": 5,
        "rejected": 4,
        "started early": 4,
        "deleted": 3,
    }

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.random = Random(scenario.seed)  # noqa: S311
        self.plan = Plan()
        self.chains = 0

    def draw(self) -> Plan:
        """Draw all steps, in the order of their times."""
        first, last = self.scenario.first_start * MINUTE, self.scenario.last_start * MINUTE
        self._draw_preferences()
        for number in range(self.scenario.sessions):
            start = float(int(self.random.uniform(first, last)))
            self._draw_session(number, start)
        for number in range(self.scenario.sessions, self.scenario.sessions + max(3, self.scenario.sessions // 20)):
            self._draw_tomorrow(number, float(int(DAY + self.random.uniform(2 * MINUTE, last - 3 * MINUTE))))
        end = self.scenario.seconds * self.scenario.rate
        self._draw_waiting(end)
        for number in range(max(3, self.scenario.members // 4)):
            self._add_step(self.random.uniform(0, end), "register", session=-1, by=number, chain=self._start_chain())
        self.plan.steps.sort(key=lambda step: step.at)
        return self.plan

    def _draw_preferences(self) -> None:
        """Add the preferences that members set before there is news."""
        for number in range(self.scenario.members):
            preferences = PREFERENCES[number % len(PREFERENCES)]
            if preferences:
                self._add_step(BEFORE_START, "set_preferences", session=-1, by=number, value=preferences)

    # --- A session --------------------------------------------------------------------------------------------

    def _draw_session(self, number: int, start: float) -> None:
        fate = self.random.choices(list(self.FATE_WEIGHTS), weights=list(self.FATE_WEIGHTS.values()))[0]
        session = self._plan_session(number, start)
        moderator = self._choose_moderator()
        chain = self._add_offer(session)
        if fate == "never decided":
            return
        # Most are approved at once, some after a reminder would have been due.
        offered = self.plan.steps[-1].at
        decided = offered if self.random.random() < 0.7 else self.random.uniform(0, start * 0.9)
        if fate == "rejected":
            self._add_step(decided, "reject_session", session=number, by=moderator, chain=chain)
            return
        self._add_step(decided, "approve_session", session=number, by=moderator, chain=chain)
        since = max(decided, 0.0)
        self._draw_fate(session, fate, since)
        if fate != "deleted":
            self._draw_bookings(session, since, nobody_approved=fate == "nobody approved")
        if self.random.random() < 0.2:
            edited = self.random.uniform(since, start)
            self._add_step(edited, "edit", session=number, by=session.creator, value=f"Session {number}, once more")

    def _draw_fate(self, session: PlannedSession, fate: str, since: float) -> None:
        number, creator = session.number, session.creator
        at = self._draw_time(session, since)
        match fate:
            case "cancelled":
                self._add_step(at, "cancel", session=number, by=creator)
            case "cancelled by a moderator":
                self._add_step(at, "cancel", session=number, by=self._choose_moderator())
            case "rescheduled":
                self._add_step(at, "reschedule", session=number, by=creator, value=self._draw_other_start(session, at))
            case "rescheduled and back":
                chain = self._start_chain()
                away = self._draw_other_start(session, at)
                self._add_step(at, "reschedule", session=number, by=creator, value=away, chain=chain)
                back = at + self.random.uniform(10, 4 * MINUTE)
                self._add_step(back, "reschedule", session=number, by=creator, value=session.start, chain=chain)
            case "started early":
                chain = self._start_chain()
                early = self.random.uniform(max(since, session.start - 10 * MINUTE), session.start)
                self._add_step(early, "start", session=number, by=creator, chain=chain)
                if self.random.random() < 0.5:
                    self._add_step(early + 5 * MINUTE, "end", session=number, by=creator, chain=chain)
            case "deleted":
                self._add_step(at, "delete", session=number, by=creator)

    def _draw_tomorrow(self, number: int, start: float) -> None:
        """Draw a session in a little more than a day, whose creator is nudged if a request is pending."""
        session = self._plan_session(number, start)
        chain = self._add_offer(session)
        self._add_step(
            self.plan.steps[-1].at, "approve_session", session=number, by=self._choose_moderator(), chain=chain
        )
        day_before = start - DAY
        for member in self._choose_others(session, 2):
            chain = self._start_chain()
            asked = self.random.uniform(0, day_before)
            self._add_step(asked, "request_booking", session=number, by=member, chain=chain)
            if self.random.random() < 0.5:
                decided = asked + self.random.uniform(5, 4 * MINUTE)
                self._add_step(
                    decided, "approve_request", session=number, by=session.creator, target=member, chain=chain
                )

    def _draw_waiting(self, end: float) -> None:
        """Draw sessions that nobody decides on, for the digests."""
        first = len(self.plan.sessions)
        for number in range(first, first + max(3, self.scenario.sessions // 20)):
            session = self._plan_session(number, float(int(DAY + self.random.uniform(0, end))))
            offered = self.random.uniform(0, end)
            self._add_step(offered, "offer", session=number, by=session.creator, chain=self._start_chain())

    def _draw_bookings(self, session: PlannedSession, since: float, *, nobody_approved: bool) -> None:
        for member in self._choose_others(session, self.random.randint(1, 5)):
            chain = self._start_chain()
            at = self.random.uniform(since, since + 0.6 * (session.start - since))
            for action, by_member in self._draw_request(nobody_approved=nobody_approved):
                by = member if by_member else session.creator
                if action in ("remove_participant", "approve_request", "reject_request") and self.random.random() < 0.2:
                    by = self._choose_moderator()
                self._add_step(at, action, session=session.number, by=by, target=member, chain=chain)
                at = max(at + self.random.uniform(1, 40), self._draw_time(session, at))

    def _draw_request(self, *, nobody_approved: bool) -> Iterator[tuple[str, bool]]:
        """Yield the actions about one booking request, each with whether the requester takes it."""
        yield "request_booking", True
        chance = self.random.random()
        if nobody_approved or chance < 0.15:
            return
        if chance < 0.23:
            yield "leave", True
            return
        if chance < 0.35:
            yield "reject_request", False
            if self.random.random() < 0.5:
                return
            yield "request_booking", True
        yield "approve_request", False
        chance = self.random.random()
        if chance < 0.15:
            yield "leave", True
            if self.random.random() < 0.5:
                yield "request_booking", True
                yield "approve_request", False
        elif chance < 0.25:
            yield "remove_participant", False

    # --- Times and members ----------------------------------------------------------------------------------

    def _draw_time(self, session: PlannedSession, since: float) -> float:
        """Draw a time before the start; every third is near the due time of a reminder."""
        if self.random.random() < 0.35:
            due = session.start - self.random.choice(self.scenario.offsets) * MINUTE
            return max(since, due + self.random.uniform(-30, 60))
        return self.random.uniform(since, max(since, session.start))

    def _draw_other_start(self, session: PlannedSession, at: float) -> float:
        latest = self.scenario.last_start * MINUTE
        start = session.start + self.random.uniform(-4, 10) * MINUTE
        other = float(int(min(latest, max(at + MINUTE, start))))
        return other if other != session.start else other + 1

    def _plan_session(self, number: int, start: float) -> PlannedSession:
        session = PlannedSession(
            number=number,
            creator=self.random.randrange(self.scenario.members),
            start=start,
            duration=self.random.choice((15, 15, 20, 45)),
            max_participants=self.random.randint(2, 6),
        )
        self.plan.sessions.append(session)
        return session

    def _add_offer(self, session: PlannedSession) -> int:
        chain = self._start_chain()
        at = BEFORE_START if self.random.random() < 0.8 else 0.0
        self._add_step(at, "offer", session=session.number, by=session.creator, chain=chain)
        return chain

    def _choose_moderator(self) -> int:
        return self.scenario.members + self.random.randrange(2)

    def _choose_others(self, session: PlannedSession, count: int) -> list[int]:
        others = [member for member in range(self.scenario.members) if member != session.creator]
        return self.random.sample(others, min(count, len(others)))

    def _start_chain(self) -> int:
        self.chains += 1
        return self.chains

    def _add_step(
        self, at: float, action: str, *, session: int, by: int, target: int = -1, value: Any = None, chain: int = 0
    ) -> None:
        step = Step(
            at=at, chain=chain or self._start_chain(), action=action, session=session, by=by, target=target, value=value
        )
        self.plan.steps.append(step)
