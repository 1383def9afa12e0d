"""The records of a drill as plain values: the input of every count, and what `--keep` writes to a file."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from drill.journal import open_journals


class Fact(BaseModel):
    id: int
    # Without the module: `SessionApproved`.
    name: str
    session_id: int | None
    member_id: int | None
    actor_id: int | None
    at: datetime
    payload: dict[str, Any]
    changes: dict[str, Any]


class SessionRow(BaseModel):
    id: int
    status: str
    date: datetime
    participant_count: int
    # When periodic jobs have to handle it: the columns that they query.
    due_at: list[datetime]


class RequestRow(BaseModel):
    session_id: int
    user_id: int
    status: str


class NotificationRow(BaseModel):
    id: int
    fact_id: int
    user_id: int
    at: datetime
    message: str
    by_mail: bool
    mail_id: int | None


class MailRow(BaseModel):
    id: int
    message_id: str
    kind: str
    address: str
    topic: str
    status: str
    superseded_by: int | None
    attempts: int
    next_try_at: datetime | None


class FailedDelivery(BaseModel):
    fact_id: int
    receiver: str
    delivered: bool


class MemberAction(BaseModel):
    """A call of a service by a member, with the product's time before and after it."""

    name: str
    # `done`, `refused` (a domain error) or `crashed` (any other exception).
    outcome: str
    error: str
    session_id: int | None
    actor_id: int | None
    target_id: int | None
    duration: int | None
    # By kind of notification, whether it is to be mailed from now on.
    preferences: dict[str, bool] | None
    before: datetime
    after: datetime


class CalendarFile(BaseModel):
    # The parameter of the MIME part; the file repeats it.
    method: str
    content: str


class Arrival(BaseModel):
    """A mail that the mail server received."""

    message_id: str
    to: list[str]
    subject: str
    text: str
    calendars: list[CalendarFile]
    # Whether the server replied 250; otherwise it hung up.
    acknowledged: bool
    # When its sender issued MAIL FROM: the mail was rendered before.
    begun_at: datetime
    at: datetime


class Records(BaseModel):
    # Of reminders, in minutes before a start.
    offsets: list[int]
    rate: float
    # When nothing was due any more, or the drill stopped waiting for that.
    ended_at: datetime
    facts: list[Fact]
    sessions: list[SessionRow]
    requests: list[RequestRow]
    notifications: list[NotificationRow]
    mails: list[MailRow]
    failed_deliveries: list[FailedDelivery]
    addresses: dict[int, str]
    moderators: list[int]
    # As `verify_sessions` prints them.
    mismatches: list[str]
    # Periodic jobs that have not succeeded for too long.
    late_jobs: list[str]
    actions: list[MemberAction]
    arrivals: list[Arrival]
    outages: int
    # How many mails the mail server refused temporarily, and how often it hung up instead of replying.
    refusals: int
    hang_ups: int
    kills: list[datetime]
    # Processes that ended without being killed by the drill.
    died: list[str]

    @property
    def slack(self) -> timedelta:
        """The most that may lie between reading the clock and recording the fact: a real second."""
        return timedelta(seconds=self.rate)


def read_records(folder: Path, *, rate: float, ended_at: datetime, late_jobs: list[str], died: list[str]) -> Records:
    """Read everything from the database and from the journals in the folder."""
    from django.conf import settings

    from core.accounts.models import User
    from modules.sessions.policy import MODERATE
    from modules.sessions.queries.consistency import find_mismatches

    return Records(
        offsets=settings.REMINDER_MINUTES,
        rate=rate,
        ended_at=ended_at,
        facts=_read_facts(),
        sessions=_read_sessions(),
        requests=_read_requests(),
        notifications=_read_notifications(),
        mails=_read_mails(),
        failed_deliveries=_read_failed_deliveries(),
        addresses=dict(User.objects.values_list("pk", "email")),
        moderators=list(User.objects.with_perm(MODERATE).order_by("pk").values_list("pk", flat=True)),
        mismatches=[str(mismatch) for mismatch in find_mismatches()],
        late_jobs=late_jobs,
        died=died,
        **_read_journals(folder),
    )


def _read_journals(folder: Path) -> dict[str, Any]:
    actions, arrivals, kills = (journal.entries() for journal in open_journals(folder))
    return {
        "actions": [MemberAction(**entry) for entry in actions],
        "arrivals": [Arrival(**entry) for entry in arrivals if entry["kind"] == "mail"],
        "outages": sum(entry["kind"] == "outage" for entry in arrivals),
        "refusals": sum(entry["kind"] == "refused" for entry in arrivals),
        "hang_ups": sum(entry["kind"] == "discarded" or not entry.get("acknowledged", True) for entry in arrivals),
        "kills": [entry["at"] for entry in kills],
    }


def _read_facts() -> list[Fact]:
    from core.facts.models import FactRecord

    return [
        Fact(
            id=row.pk,
            name=row.name.rpartition(".")[2],
            session_id=row.session_id,
            member_id=row.member_id,
            actor_id=row.actor_id,
            at=row.occurred_at,
            payload=row.payload,
            changes=row.changes,
        )
        for row in FactRecord.objects.order_by("pk")
    ]


def _read_sessions() -> list[SessionRow]:
    from modules.sessions.models import Session

    return [
        SessionRow(
            id=row.pk,
            status=row.status,
            date=row.date,
            participant_count=row.participant_count,
            due_at=[at for at in (row.moves_at, row.reminder_due_at, row.nudge_due_at) if at],
        )
        for row in Session.objects.order_by("pk")
    ]


def _read_requests() -> list[RequestRow]:
    from modules.sessions.models import BookingRequest

    return [
        RequestRow(session_id=row.session_id, user_id=row.user_id, status=row.status)
        for row in BookingRequest.objects.order_by("pk")
    ]


def _read_notifications() -> list[NotificationRow]:
    from modules.notifications.models import Notification

    return [
        NotificationRow(
            id=row.pk,
            fact_id=row.fact_id,
            user_id=row.user_id,
            at=row.created_at,
            message=row.message,
            by_mail=row.by_mail,
            mail_id=row.mail_id,
        )
        for row in Notification.objects.order_by("pk")
    ]


def _read_mails() -> list[MailRow]:
    from core.mail.models import Mail
    from core.mail.rendering import build_message_id

    return [
        MailRow(
            id=row.pk,
            message_id=build_message_id(row),
            kind=row.kind,
            address=row.address,
            topic=row.topic,
            status=row.status,
            superseded_by=row.superseded_by_id,
            attempts=row.attempts,
            next_try_at=row.next_try_at,
        )
        for row in Mail.objects.order_by("pk")
    ]


def _read_failed_deliveries() -> list[FailedDelivery]:
    from core.facts.models import FailedDelivery as FailedDeliveryRow

    return [
        FailedDelivery(fact_id=row.fact_id, receiver=row.receiver, delivered=row.delivered_at is not None)
        for row in FailedDeliveryRow.objects.order_by("pk")
    ]
