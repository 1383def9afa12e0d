"""A small community, made through the services that members use, so that all of its records are real.

The story is told in the order of time: each step happens at its own moment before now, and in between the worker's
own code does each hour what the worker would have done.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.db.models import Count, Min, Q

from core.accounts.models import User
from core.mail.models import Mail
from core.mail.sending import send_due_mail
from core.time import clock
from modules.materials.services import add_material
from modules.notifications.services.reading import mark_all_as_read
from modules.sessions.models import Session
from modules.sessions.services import booking, moderation, offering, running
from modules.sessions.services.digest import publish_digest
from modules.sessions.services.life_cycle import advance_due_sessions
from modules.sessions.services.reminders import nudge_creators, remind_due_sessions
from modules.sessions.states import Status
from modules.sessions.wall_clock import SentDate

PASSWORD = "learn-together"
PEOPLE = {
    "john_doe": ("John", "Doe", "john@example.com", "America/New_York"),
    "jane_smith": ("Jane", "Smith", "jane@example.com", "Europe/London"),
    "bob_wilson": ("Bob", "Wilson", "bob@example.com", "Europe/Berlin"),
    "alice_jones": ("Alice", "Jones", "alice@example.com", "Australia/Sydney"),
    "moderator": ("Morgan", "Reed", "moderator@example.com", "UTC"),
}
HOUR = timedelta(hours=1)


class Community:
    """The members and sessions of the demo. `now` is when the story ends."""

    def __init__(self, now: datetime) -> None:
        self.now = now.replace(microsecond=0)
        self.people: dict[str, User] = {}
        self.sessions: dict[str, Session] = {}
        self.steps: list[tuple[datetime, Callable[[], object]]] = []

    def ago(self, **span: float) -> datetime:
        return self.now - timedelta(**span)

    def ahead(self, **span: float) -> datetime:
        """A start, on the hour."""
        return (self.now + timedelta(**span)).replace(minute=0, second=0)

    def then(self, moment: datetime, step: Callable[[], object]) -> None:
        """Add a step to the story; steps of one moment happen in the order in which they were added."""
        self.steps.append((moment, step))

    def tell(self) -> None:
        """Let everything happen, in the order of time."""
        self.steps.sort(key=lambda each: each[0])
        told_until = self.steps[0][0]
        for due, step in self.steps:
            self._let_the_worker_run(told_until, due)
            with clock.freeze_at(due):
                step()
            told_until = due
        self._let_the_worker_run(told_until, self.now)
        with clock.freeze_at(self.now):
            for sweep in (*SWEEPS, send_mail):
                sweep()

    def _let_the_worker_run(self, begin: datetime, end: datetime) -> None:
        """At each full hour at which there is something for it to do."""
        hour = begin.replace(minute=0, second=0)
        while (work := _work(hour)) and (hour := max(hour + HOUR, _full_hour(min(work.values())))) <= end:
            with clock.freeze_at(hour):
                for sweep in SWEEPS:
                    if sweep in work and work[sweep] <= hour:
                        sweep()
                # Among it what the others have just queued.
                if Mail.objects.filter(next_try_at__lte=hour).exists():
                    send_mail()

    # --- Steps ------------------------------------------------------------------------------------------------

    def arrive(self) -> None:
        for username, (first_name, last_name, email, zone) in PEOPLE.items():
            self.people[username.split("_")[0]] = User.objects.create_user(
                username, email, PASSWORD, first_name=first_name, last_name=last_name, timezone=zone
            )
        moderator = self.people["moderator"]
        moderator.is_staff = True
        moderator.save(update_fields=["is_staff"])
        moderator.groups.add(Group.objects.get(name="Moderators"))

    def offer(self, name: str, by: str, starts: datetime, title: str, subject: str, **values: Any) -> None:
        """A session that waits for a moderator; `name` is what the story calls it."""
        defaults = {"level": "beginner", "duration": 60, "max_participants": 8, "description": f"{title}, together."}
        self.sessions[name] = offering.offer_session(
            values={"title": title, "subject": subject, **defaults, **values},
            date=SentDate(value=starts),
            by=self.people[by],
        )

    def approve(self, *names: str) -> None:
        for name in names:
            moderation.approve_session(session_id=self.sessions[name].pk, by=self.people["moderator"])

    def reject(self, name: str, reason: str) -> None:
        moderation.reject_session(session_id=self.sessions[name].pk, by=self.people["moderator"], reason=reason)

    def ask(self, name: str, *members: str, message: str = "I would like to join.") -> None:
        for member in members:
            booking.request_booking(session_id=self.sessions[name].pk, message=message, by=self.people[member])

    def admit(self, name: str, *members: str) -> None:
        session = self.sessions[name]
        for member in members:
            booking.approve_request(session_id=session.pk, requester_id=self.people[member].pk, by=session.creator)

    def turn_down(self, name: str, member: str) -> None:
        session = self.sessions[name]
        booking.reject_request(session_id=session.pk, requester_id=self.people[member].pk, by=session.creator)

    def make_tutor(self, name: str, member: str) -> None:
        session = self.sessions[name]
        booking.change_role(
            session_id=session.pk, participant_id=self.people[member].pk, role="tutor", by=session.creator
        )

    def cancel(self, name: str, reason: str) -> None:
        session = self.sessions[name]
        running.cancel_session(session_id=session.pk, by=session.creator, reason=reason)

    def edit(self, name: str, **values: Any) -> None:
        session = self.sessions[name]
        offering.edit_session(
            session_id=session.pk, values=values, date=None, status=None, reason="", by=session.creator
        )

    def share_note(self, name: str, by: str, title: str, content: str) -> None:
        self._share(name, by, title=title, type="note", content=content)

    def share_link(self, name: str, by: str, title: str, url: str) -> None:
        self._share(name, by, title=title, type="link", url=url)

    def share_file(self, name: str, by: str, title: str, file_name: str, content: bytes) -> None:
        self._share(name, by, title=title, type="file", upload=ContentFile(content, name=file_name))

    def read_everything(self) -> None:
        """Everybody reads what they were told so far."""
        for member in self.people.values():
            mark_all_as_read(by=member)

    def _share(self, name: str, by: str, **material: Any) -> None:
        add_material(session_id=self.sessions[name].pk, by=self.people[by], **material)


def _full_hour(moment: datetime) -> datetime:
    """This hour, or the next one where it has begun already."""
    return (moment + HOUR - timedelta.resolution).replace(minute=0, second=0, microsecond=0)


def send_mail() -> int:
    """Nobody gets mail out of a story."""
    return send_due_mail(backend="django.core.mail.backends.dummy.EmailBackend")


# What the worker does before it sends mail, in the order in which it does it here.
SWEEPS: tuple[Callable[[], int], ...] = (
    remind_due_sessions,
    nudge_creators,
    publish_digest,
    advance_due_sessions,
)


def _work(now: datetime) -> dict[Callable[[], int], datetime]:
    """Which of it there is to do, mail included, and when next."""
    waiting = Count("pk", filter=Q(status=Status.PENDING_APPROVAL))
    due = Session.objects.aggregate(
        waiting=waiting, remind=Min("reminder_due_at"), nudge=Min("nudge_due_at"), advance=Min("moves_at")
    )
    work: dict[Callable[[], int], datetime | None] = {
        remind_due_sessions: due["remind"],
        nudge_creators: due["nudge"],
        # Whether there is news of what waits, the sweep finds out.
        publish_digest: now if due["waiting"] else None,
        advance_due_sessions: due["advance"],
        send_mail: Mail.objects.aggregate(due=Min("next_try_at"))["due"],
    }
    return {sweep: moment for sweep, moment in work.items() if moment is not None}
