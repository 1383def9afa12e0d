"""All that a drill leaves behind, as plain values: what is counted, and what can be kept in a file."""

from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from drill.journal import journals


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
    # By the sweeps' own columns.
    due_at: list[datetime]


class RequestRow(BaseModel):
    session_id: int
    user_id: int
    status: str


class Notice(BaseModel):
    """A notification."""

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


class Deed(BaseModel):
    """What a member did, from before the call until after it, by the product's clock."""

    action: str
    outcome: str
    why: str
    session_id: int | None
    by_id: int | None
    whom_id: int | None
    duration: int | None
    # By kind of news, whether it is to be mailed from now on.
    choice: dict[str, bool] | None
    before: datetime
    after: datetime


class CalendarFile(BaseModel):
    # As the mail's part names it; the file says it once more.
    method: str
    content: str


class Arrival(BaseModel):
    """A mail that the mail server took."""

    message_id: str
    to: list[str]
    subject: str
    text: str
    calendars: list[CalendarFile]
    # Its sender was told so; else the mail server hung up.
    answered: bool
    # When its sender came with it: it was written before.
    begun_at: datetime
    at: datetime


class Records(BaseModel):
    offsets: list[int]
    rate: float
    # When all was settled, or was given up.
    ended_at: datetime
    facts: list[Fact]
    sessions: list[SessionRow]
    requests: list[RequestRow]
    notices: list[Notice]
    mails: list[MailRow]
    failed_deliveries: list[FailedDelivery]
    addresses: dict[int, str]
    moderators: list[int]
    # Stored values of sessions that are not what their rows say, in words.
    mismatches: list[str]
    # Sweeps that have not ended well for too long.
    late_sweeps: list[str]
    deeds: list[Deed]
    arrivals: list[Arrival]
    outages: int
    # How many mails the mail server refused for the moment, and how often it hung up instead of answering.
    refusals: int
    hang_ups: int
    kills: list[datetime]
    # Processes that ended though nobody had killed them.
    died: list[str]


def read_records(folder: Path, *, rate: float, ended_at: datetime, late_sweeps: list[str], died: list[str]) -> Records:
    """Read everything from the database and from the journals in the folder."""
    from django.conf import settings

    from core.accounts.models import User
    from core.facts.models import FactRecord
    from core.facts.models import FailedDelivery as FailedDeliveryRow
    from core.mail.models import Mail
    from core.mail.rendering import build_message_id
    from modules.notifications.models import Notification
    from modules.sessions.models import BookingRequest, Session
    from modules.sessions.policy import MODERATE
    from modules.sessions.queries.consistency import find_mismatches

    deeds, arrivals, kills = (journal.entries() for journal in journals(folder))
    return Records(
        offsets=settings.REMINDER_MINUTES,
        rate=rate,
        ended_at=ended_at,
        facts=[
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
        ],
        sessions=[
            SessionRow(
                id=row.pk,
                status=row.status,
                date=row.date,
                participant_count=row.participant_count,
                due_at=[at for at in (row.moves_at, row.reminder_due_at, row.nudge_due_at) if at],
            )
            for row in Session.objects.order_by("pk")
        ],
        requests=[
            RequestRow(session_id=row.session_id, user_id=row.user_id, status=row.status)
            for row in BookingRequest.objects.order_by("pk")
        ],
        notices=[
            Notice(
                id=row.pk,
                fact_id=row.fact_id,
                user_id=row.user_id,
                at=row.created_at,
                message=row.message,
                by_mail=row.by_mail,
                mail_id=row.mail_id,
            )
            for row in Notification.objects.order_by("pk")
        ],
        mails=[
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
        ],
        failed_deliveries=[
            FailedDelivery(fact_id=row.fact_id, receiver=row.receiver, delivered=row.delivered_at is not None)
            for row in FailedDeliveryRow.objects.order_by("pk")
        ],
        addresses=dict(User.objects.values_list("pk", "email")),
        moderators=list(User.objects.with_perm(MODERATE).order_by("pk").values_list("pk", flat=True)),
        mismatches=[str(mismatch) for mismatch in find_mismatches()],
        late_sweeps=late_sweeps,
        deeds=[Deed(**entry) for entry in deeds],
        arrivals=[Arrival(**entry) for entry in arrivals if entry["kind"] == "mail"],
        outages=sum(entry["kind"] == "away" for entry in arrivals),
        refusals=sum(entry["kind"] == "refused" for entry in arrivals),
        hang_ups=sum(entry["kind"] == "forgotten" or not entry.get("answered", True) for entry in arrivals),
        kills=[entry["at"] for entry in kills],
        died=died,
    )
