"""The members: they take the planned actions by calling the services, and record each in a journal."""

import traceback
from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth.models import Group

from core.accounts.models import User
from core.accounts.services import register_member
from core.errors import DomainError
from core.time import clock as product_clock
from drill.clock import Clock
from drill.journal import Journal
from drill.member_plans import BEFORE_START, Plan, PlannedSession, Step
from drill.scenario import Scenario
from modules.notifications.kinds import Choice, Kind
from modules.notifications.services.preferences import change_preferences
from modules.sessions.services import booking, moderation, offering, running
from modules.sessions.wall_clock import SentDate

PASSWORD = "learn-together-in-a-drill"
# Actions that need no session.
WITHOUT_SESSION = frozenset({"offer", "register", "set_preferences"})


class MemberActions:
    """Takes the actions of all members and of two moderators, whose numbers follow those of the members.

    `prepare` takes those before the clock starts, `run` the others.
    """

    def __init__(self, scenario: Scenario, plan: Plan, clock: Clock, journal: Journal) -> None:
        self.scenario = scenario
        self.plan = plan
        self.clock = clock
        self.journal = journal
        self.people: list[User] = []
        # By the session's number in the plan.
        self.session_ids: dict[int, int] = {}
        self.ended_chains: set[int] = set()
        self.actions: dict[str, Callable[[Step], int | None]] = {
            "register": self._register,
            "offer": self._offer,
            "approve_session": self._approve_session,
            "reject_session": self._reject_session,
            "edit": self._edit,
            "reschedule": self._reschedule,
            "cancel": self._cancel,
            "start": self._start,
            "end": self._end,
            "delete": self._delete,
            "request_booking": self._request_booking,
            "approve_request": self._approve_request,
            "reject_request": self._reject_request,
            "leave": self._leave,
            "remove_participant": self._remove_participant,
            "set_preferences": self._set_preferences,
        }

    def prepare(self) -> None:
        moderators = Group.objects.get(name="Moderators")
        for number in range(self.scenario.members + 2):
            self._perform(Step(at=BEFORE_START, chain=0, action="register", session=-1, by=number, value="founder"))
        self.people = list(User.objects.order_by("pk"))
        for moderator in self.people[self.scenario.members :]:
            moderator.groups.add(moderators)
        for step in self.plan.steps:
            if step.at == BEFORE_START:
                self._perform(step)

    def run(self) -> None:
        self.resume()
        for step in self.plan.steps:
            if step.at != BEFORE_START:
                self.clock.wait_until(step.at)
                self._perform(step)

    def resume(self) -> None:
        """Read, in a new process, what `prepare` has done."""
        self.people = list(User.objects.order_by("pk"))[: self.scenario.members + 2]
        for entry in self.journal.entries():
            if entry["outcome"] != "done":
                self.ended_chains.add(entry["chain"])
            elif entry["name"] == "offer":
                self.session_ids[entry["number"]] = entry["session_id"]

    def _perform(self, step: Step) -> None:
        if step.chain in self.ended_chains or (step.action not in WITHOUT_SESSION and not self._has_session(step)):
            return
        before = product_clock.now()
        outcome, error, member_id = "done", "", None
        try:
            member_id = self.actions[step.action](step)
        except DomainError as refusal:
            outcome, error = "refused", refusal.message
        except Exception:
            outcome, error = "crashed", traceback.format_exc()
        if outcome != "done" and step.chain:
            self.ended_chains.add(step.chain)
        self.journal.append(
            name=step.action,
            outcome=outcome,
            error=error,
            chain=step.chain,
            number=step.session,
            session_id=self.session_ids.get(step.session),
            actor_id=member_id if step.action == "register" else self._get_member(step.by).pk,
            target_id=self._get_member(step.target).pk if step.target >= 0 else None,
            duration=self._get_plan(step).duration if step.action == "offer" else None,
            preferences=step.value if step.action == "set_preferences" else None,
            before=before,
            after=product_clock.now(),
        )

    def _has_session(self, step: Step) -> bool:
        return step.session in self.session_ids

    def _get_member(self, number: int) -> User:
        return self.people[number]

    def _get_plan(self, step: Step) -> PlannedSession:
        return self.plan.sessions[step.session]

    def _build_date(self, start: float) -> SentDate:
        return SentDate(value=self.clock.began_at + timedelta(seconds=start))

    # --- Actions ----------------------------------------------------------------------------------------------

    def _register(self, step: Step) -> int:
        name = f"{step.value or 'newcomer'}_{step.by}"
        return register_member(
            username=name, email=f"{name}@example.com", password=PASSWORD, first_name="", last_name=""
        ).pk

    def _set_preferences(self, step: Step) -> None:
        member = self._get_member(step.by)
        choices = {Kind(kind): Choice(mail=mail) for kind, mail in step.value.items()}
        change_preferences(user=member, choices=choices, by=member)

    def _offer(self, step: Step) -> None:
        plan = self._get_plan(step)
        session = offering.offer_session(
            values={
                "title": f"Session {plan.number}",
                "description": "Offered in a drill.",
                "subject": "Drills",
                "level": "beginner",
                "duration": plan.duration,
                "max_participants": plan.max_participants,
            },
            date=self._build_date(plan.start),
            by=self._get_member(step.by),
        )
        self.session_ids[step.session] = session.pk

    def _approve_session(self, step: Step) -> None:
        moderation.approve_session(session_id=self.session_ids[step.session], by=self._get_member(step.by))

    def _reject_session(self, step: Step) -> None:
        moderation.reject_session(
            session_id=self.session_ids[step.session], by=self._get_member(step.by), reason="Not in this drill."
        )

    def _edit(self, step: Step) -> None:
        self._edit_session(step, values={"title": step.value}, date=None)

    def _reschedule(self, step: Step) -> None:
        self._edit_session(step, values={}, date=self._build_date(step.value))

    def _edit_session(self, step: Step, *, values: dict[str, object], date: SentDate | None) -> None:
        offering.edit_session(
            session_id=self.session_ids[step.session],
            values=values,
            date=date,
            status=None,
            reason="",
            by=self._get_member(step.by),
        )

    def _cancel(self, step: Step) -> None:
        running.cancel_session(
            session_id=self.session_ids[step.session], by=self._get_member(step.by), reason="So goes the drill."
        )

    def _start(self, step: Step) -> None:
        running.start_session(session_id=self.session_ids[step.session], by=self._get_member(step.by))

    def _end(self, step: Step) -> None:
        running.end_session(session_id=self.session_ids[step.session], by=self._get_member(step.by))

    def _delete(self, step: Step) -> None:
        offering.delete_session(session_id=self.session_ids[step.session], by=self._get_member(step.by))

    def _request_booking(self, step: Step) -> None:
        booking.request_booking(
            session_id=self.session_ids[step.session], message="Let me in.", by=self._get_member(step.by)
        )

    def _approve_request(self, step: Step) -> None:
        booking.approve_request(
            session_id=self.session_ids[step.session],
            requester_id=self._get_member(step.target).pk,
            by=self._get_member(step.by),
        )

    def _reject_request(self, step: Step) -> None:
        booking.reject_request(
            session_id=self.session_ids[step.session],
            requester_id=self._get_member(step.target).pk,
            by=self._get_member(step.by),
        )

    def _leave(self, step: Step) -> None:
        booking.leave_session(session_id=self.session_ids[step.session], by=self._get_member(step.by))

    def _remove_participant(self, step: Step) -> None:
        booking.remove_participant(
            session_id=self.session_ids[step.session],
            participant_id=self._get_member(step.target).pk,
            by=self._get_member(step.by),
        )
