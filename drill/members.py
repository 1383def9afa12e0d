"""The members: they do what was planned, through the services that the API and the admin use, and write it down."""

import traceback
from collections.abc import Callable
from datetime import datetime, timedelta

from django.contrib.auth.models import Group

from core.accounts.models import User
from core.accounts.services import register_member
from core.errors import DomainError
from core.time import clock as product_clock
from drill.clock import Clock
from drill.journal import Journal
from drill.member_plans import BEFORE, Plan, PlannedSession, Step
from drill.scenario import Scenario
from modules.notifications.kinds import Choice, Kind
from modules.notifications.services.preferences import change_preferences
from modules.sessions.services import booking, moderation, offering, running
from modules.sessions.wall_clock import SentDate

PASSWORD = "learn-together-in-a-drill"
# What is done without a session that there is already.
OF_NO_SESSION = frozenset({"offer", "register", "choose"})


class MemberActions:
    """Everybody, the two moderators after the members. `begin` happens while the clock stands, `act` while it runs."""

    def __init__(self, scenario: Scenario, plan: Plan, clock: Clock, deeds: Journal) -> None:
        self.scenario = scenario
        self.plan = plan
        self.clock = clock
        self.deeds = deeds
        self.people: list[User] = []
        # By the number in the plan.
        self.session_ids: dict[int, int] = {}
        self.ended_chains: set[int] = set()
        self.actions: dict[str, Callable[[Step], int | None]] = {
            "register": self._register,
            "offer": self._offer,
            "approve_session": self._approve_session,
            "reject_session": self._reject_session,
            "edit": self._edit,
            "move": self._move,
            "cancel": self._cancel,
            "start": self._start,
            "end": self._end,
            "delete": self._delete,
            "ask": self._ask,
            "admit": self._admit,
            "turn_down": self._turn_down,
            "leave": self._leave,
            "remove": self._remove,
            "choose": self._choose,
        }

    def begin(self) -> None:
        moderators = Group.objects.get(name="Moderators")
        for number in range(self.scenario.members + 2):
            self._take(Step(at=BEFORE, chain=0, action="register", session=-1, by=number, value="founder"))
        self.people = list(User.objects.order_by("pk"))
        for moderator in self.people[self.scenario.members :]:
            moderator.groups.add(moderators)
        for step in self.plan.steps:
            if step.at == BEFORE:
                self._take(step)

    def act(self) -> None:
        self.resume()
        for step in self.plan.steps:
            if step.at != BEFORE:
                self.clock.wait_until(step.at)
                self._take(step)

    def resume(self) -> None:
        """Learn, in a new process, what `begin` has made."""
        self.people = list(User.objects.order_by("pk"))[: self.scenario.members + 2]
        for deed in self.deeds.entries():
            if deed["outcome"] != "done":
                self.ended_chains.add(deed["chain"])
            elif deed["action"] == "offer":
                self.session_ids[deed["number"]] = deed["session_id"]

    def _take(self, step: Step) -> None:
        if step.chain in self.ended_chains or (step.action not in OF_NO_SESSION and not self._knows(step)):
            return
        before = product_clock.now()
        outcome, why, made = "done", "", None
        try:
            made = self.actions[step.action](step)
        except DomainError as error:
            outcome, why = "refused", error.message
        except Exception:
            outcome, why = "broke", traceback.format_exc()
        if outcome != "done" and step.chain:
            self.ended_chains.add(step.chain)
        self.deeds.note(
            action=step.action,
            outcome=outcome,
            why=why,
            chain=step.chain,
            number=step.session,
            session_id=self.session_ids.get(step.session),
            by_id=made if step.action == "register" else self._member(step.by).pk,
            whom_id=self._member(step.whom).pk if step.whom >= 0 else None,
            duration=self._planned(step).duration if step.action == "offer" else None,
            choice=step.value if step.action == "choose" else None,
            before=before,
            after=product_clock.now(),
        )

    def _knows(self, step: Step) -> bool:
        return step.session in self.session_ids

    def _member(self, number: int) -> User:
        return self.people[number]

    def _planned(self, step: Step) -> PlannedSession:
        return self.plan.sessions[step.session]

    def _date(self, start: float) -> SentDate:
        return SentDate(value=self._instant(start))

    def _instant(self, start: float) -> datetime:
        return self.clock.began_at + timedelta(seconds=start)

    # --- Actions ----------------------------------------------------------------------------------------------

    def _register(self, step: Step) -> int:
        name = f"{step.value or 'newcomer'}_{step.by}"
        return register_member(
            username=name, email=f"{name}@example.com", password=PASSWORD, first_name="", last_name=""
        ).pk

    def _choose(self, step: Step) -> None:
        member = self._member(step.by)
        choices = {Kind(kind): Choice(mail=mail) for kind, mail in step.value.items()}
        change_preferences(user=member, choices=choices, by=member)

    def _offer(self, step: Step) -> None:
        planned = self._planned(step)
        session = offering.offer_session(
            values={
                "title": f"Session {planned.number}",
                "description": "Offered in a drill.",
                "subject": "Drills",
                "level": "beginner",
                "duration": planned.duration,
                "max_participants": planned.places,
            },
            date=self._date(planned.start),
            by=self._member(step.by),
        )
        self.session_ids[step.session] = session.pk

    def _approve_session(self, step: Step) -> None:
        moderation.approve_session(session_id=self.session_ids[step.session], by=self._member(step.by))

    def _reject_session(self, step: Step) -> None:
        moderation.reject_session(
            session_id=self.session_ids[step.session], by=self._member(step.by), reason="Not in this drill."
        )

    def _edit(self, step: Step) -> None:
        self._change(step, values={"title": step.value}, date=None)

    def _move(self, step: Step) -> None:
        self._change(step, values={}, date=self._date(step.value))

    def _change(self, step: Step, *, values: dict[str, object], date: SentDate | None) -> None:
        offering.edit_session(
            session_id=self.session_ids[step.session],
            values=values,
            date=date,
            status=None,
            reason="",
            by=self._member(step.by),
        )

    def _cancel(self, step: Step) -> None:
        running.cancel_session(
            session_id=self.session_ids[step.session], by=self._member(step.by), reason="So goes the drill."
        )

    def _start(self, step: Step) -> None:
        running.start_session(session_id=self.session_ids[step.session], by=self._member(step.by))

    def _end(self, step: Step) -> None:
        running.end_session(session_id=self.session_ids[step.session], by=self._member(step.by))

    def _delete(self, step: Step) -> None:
        offering.delete_session(session_id=self.session_ids[step.session], by=self._member(step.by))

    def _ask(self, step: Step) -> None:
        booking.request_booking(
            session_id=self.session_ids[step.session], message="Let me in.", by=self._member(step.by)
        )

    def _admit(self, step: Step) -> None:
        booking.approve_request(
            session_id=self.session_ids[step.session],
            requester_id=self._member(step.whom).pk,
            by=self._member(step.by),
        )

    def _turn_down(self, step: Step) -> None:
        booking.reject_request(
            session_id=self.session_ids[step.session],
            requester_id=self._member(step.whom).pk,
            by=self._member(step.by),
        )

    def _leave(self, step: Step) -> None:
        booking.leave_session(session_id=self.session_ids[step.session], by=self._member(step.by))

    def _remove(self, step: Step) -> None:
        booking.remove_participant(
            session_id=self.session_ids[step.session],
            participant_id=self._member(step.whom).pk,
            by=self._member(step.by),
        )
