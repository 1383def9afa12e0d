"""Sending the mails of notifications and reading them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
from django.core.mail import EmailMessage

from core.accounts.models import User
from core.mail.sending import send_due_mail
from modules.sessions.events import (
    BookingRequestApproved,
    BookingRequested,
    ParticipantRemoved,
    ReminderDue,
    SessionCancelled,
    SessionRescheduled,
)

NOW = datetime(2024, 1, 13, 11, 0, 0, 123456, tzinfo=UTC)
START = datetime(2024, 1, 15, 19, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DELAY = timedelta(minutes=2)


class Post:
    """Lets the worker send due mail, and reads the mailboxes."""

    def __init__(self, clock: Any, outbox: list[EmailMessage]) -> None:
        self.clock = clock
        self.outbox = outbox

    def at_once(self) -> list[EmailMessage]:
        send_due_mail()
        came = list(self.outbox)
        self.outbox.clear()
        return came

    def after_the_delay(self) -> list[EmailMessage]:
        self.clock.shift(DELAY)
        return self.at_once()


def about(creator: User) -> dict[str, Any]:
    return {"session_id": 7, "title": "Knots", "creator_id": creator.pk}


def requested(creator: User, member: User) -> BookingRequested:
    return BookingRequested(**about(creator), request_id=1, member_id=member.pk, requested_at=NOW)


def let_in(creator: User, member: User) -> BookingRequestApproved:
    return BookingRequestApproved(**about(creator), request_id=1, member_id=member.pk)


def moved(creator: User, date: datetime, *people: User) -> SessionRescheduled:
    return SessionRescheduled(
        **about(creator),
        date=date,
        previous_date=START,
        participant_ids=tuple(person.pk for person in people),
        requester_ids=(),
    )


def cancelled(creator: User, *people: User) -> SessionCancelled:
    return SessionCancelled(**about(creator), participant_ids=tuple(person.pk for person in people), requester_ids=())


def removed(creator: User, member: User) -> ParticipantRemoved:
    return ParticipantRemoved(**about(creator), request_id=1, member_id=member.pk)


def reminder(creator: User, *people: User) -> ReminderDue:
    return ReminderDue(
        **about(creator),
        date=START,
        minutes_before=1440,
        minutes_left=1440,
        person_ids=tuple(person.pk for person in people),
    )


def body(mail: EmailMessage) -> str:
    return str(mail.body)


def calendar_of(mail: EmailMessage) -> Any:
    """The calendar file of a mail as it would be on the wire, with the method of its content type; `None` for none."""
    parts = [part for part in mail.message().walk() if part.get_content_type() == "text/calendar"]
    if not parts:
        return None
    (part,) = parts
    calendar = icalendar.Calendar.from_ical(part.get_payload(decode=True))
    assert part.get_param("method") == calendar["METHOD"]
    return calendar


def event_of(mail: EmailMessage) -> Any:
    (event,) = calendar_of(mail).walk("VEVENT")
    return event
