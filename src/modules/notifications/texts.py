"""Write title and message of each notification (docs/contract.md, "Notifications"). Pure functions.

Titles about a booking end in "for" and the title of the session; titles about the session itself begin with the news.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal

from django.utils import dateformat

MINUTES_PER_HOUR = 60
MINUTES_PER_DAY = 24 * MINUTES_PER_HOUR
TOLERANCE_MINUTES = 2

WHY_EXPIRED = {
    "undecided": "it was not approved before its start",
    "nobody_in": "nobody was in when it was due to start",
}


@dataclass(frozen=True, kw_only=True)
class Text:
    title: str
    message: str


# --- Booking ----------------------------------------------------------------------------------------------------


def write_booking_requested(*, title: str, member: str) -> Text:
    return Text(title=f"New booking request for {title}", message=f"{member} wants to join your session.")


def write_booking_approved(*, title: str) -> Text:
    return Text(
        title=f"Booking request approved for {title}",
        message=f"Your request to join {title} has been approved.",
    )


def write_booking_rejected(*, title: str, reason: str = "") -> Text:
    return Text(
        title=f"Booking request rejected for {title}",
        message=_append_reason(f"Your request to join {title} has been rejected.", reason),
    )


def write_booking_rejected_at_start(*, title: str) -> Text:
    return Text(
        title=f"Booking request rejected for {title}",
        message=f"Your request to join {title} has been rejected because the session has started.",
    )


def write_seat_left(*, title: str, member: str, reason: str = "") -> Text:
    return Text(
        title=f"Seat free again for {title}", message=_append_reason(f"{member} has left your session.", reason)
    )


def write_participant_removed(*, title: str, reason: str) -> Text:
    return Text(
        title=f"Participation ended for {title}",
        message=_append_reason(f"You have been removed from {title}.", reason),
    )


# --- A session's life -------------------------------------------------------------------------------------------


def write_session_approved(*, title: str) -> Text:
    return Text(title=f"Session approved: {title}", message=f"Your session {title} has been approved.")


def write_session_rejected(*, title: str, reason: str) -> Text:
    return Text(
        title=f"Session rejected: {title}",
        message=_append_reason(f"Your session {title} has been rejected.", reason),
    )


def write_session_rescheduled(*, title: str, date: datetime, zone: tzinfo) -> Text:
    """Format the new start in `zone`, the reader's."""
    return Text(
        title=f"Session rescheduled: {title}", message=f"{title} has been moved to {format_instant(date, zone)}."
    )


def write_session_cancelled(*, title: str, reason: str) -> Text:
    return Text(title=f"Session cancelled: {title}", message=_append_reason(f"{title} has been cancelled.", reason))


def write_session_deleted(*, title: str, reason: str) -> Text:
    """For the creator of a session that somebody else has deleted."""
    return Text(
        title=f"Session deleted: {title}", message=_append_reason(f"Your session {title} has been deleted.", reason)
    )


def write_session_expired(*, title: str, why: Literal["undecided", "nobody_in"]) -> Text:
    return Text(title=f"Session expired: {title}", message=f"{title} has expired because {WHY_EXPIRED[why]}.")


# --- Materials and reminders ------------------------------------------------------------------------------------


def write_material_added(*, title: str, material: str | None, member: str) -> Text:
    """`material` is its title; `None` if the session is hidden, and so the title."""
    what = "a material" if material is None else f'"{material}"'
    return Text(title=f"New material for {title}", message=f"{member} has added {what}.")


def write_material_removed(*, title: str, material: str | None, reason: str) -> Text:
    """For its uploader."""
    what = "A material of yours" if material is None else f'Your material "{material}"'
    return Text(title=f"Material removed for {title}", message=_append_reason(f"{what} has been removed.", reason))


def write_reminder(*, title: str, minutes_before: int | None, minutes_left: int) -> Text:
    """Name the configured offset (minutes), or the minutes left if these are much less, or there is no offset."""
    return Text(
        title=f"Reminder for {title}", message=f"{title} starts in {_format_time_left(minutes_before, minutes_left)}."
    )


def write_requests_undecided(*, title: str, undecided: int, date: datetime, zone: tzinfo) -> Text:
    """For the creator, a day before the start."""
    waiting = "1 request to join it waits" if undecided == 1 else f"{undecided} requests to join it wait"
    return Text(
        title=f"Booking requests undecided for {title}",
        message=f"{title} starts on {format_instant(date, zone)}, and {waiting} for your decision.",
    )


# --- Moderation -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A session that waits for a moderator."""

    title: str
    date: datetime
    urgent: bool


def write_sessions_waiting(*, waiting: int, sessions: Sequence[Waiting], zone: tzinfo) -> Text:
    """Write a line for each of these sessions, which are the first of the `waiting` ones."""
    urgent = sum(session.urgent for session in sessions)
    title = "1 session waits for approval" if waiting == 1 else f"{waiting} sessions wait for approval"
    soon = "1 of them starts" if urgent == 1 else f"{urgent} of them start"
    lines = [f"{title}; {soon} within 48 hours." if urgent else f"{title}."]
    lines += [
        f"{'Urgent: ' if session.urgent else ''}{session.title}, {format_instant(session.date, zone)}"
        for session in sessions
    ]
    if waiting > len(sessions):
        lines.append(f"And {waiting - len(sessions)} more.")
    return Text(title=title, message="\n".join(lines))


# --- Mail -------------------------------------------------------------------------------------------------------


def format_instant(instant: datetime, zone: tzinfo) -> str:
    """Format an instant in the reader's zone, with the zone named."""
    return dateformat.format(instant.astimezone(zone), r"l, j F Y \a\t H:i") + f" ({zone})"


def format_period(starts_at: datetime, ends_at: datetime, zone: tzinfo) -> str:
    """Format start and end in the reader's zone, with the zone named."""
    first, last = starts_at.astimezone(zone), ends_at.astimezone(zone)
    until = dateformat.format(last, "H:i" if last.date() == first.date() else r"l, j F Y \a\t H:i")
    return f"{dateformat.format(first, 'l, j F Y, H:i')} to {until} ({zone})"


def write_subject(*, titles: Sequence[str], about: str) -> str:
    """Return the subject of a mail: the one title of its news, or a general one."""
    return titles[0] if len(set(titles)) == 1 else f"What is new: {about}"


def _append_reason(sentence: str, reason: str) -> str:
    reason = reason.strip()
    return f"{sentence} Reason: {reason}" if reason else sentence


def _format_time_left(minutes_before: int | None, minutes_left: int) -> str:
    # The worker runs once a minute, so that reminders are always a little late.
    if minutes_before is not None and minutes_before - minutes_left <= TOLERANCE_MINUTES:
        return _format_minutes(minutes_before)
    step = 1 if minutes_left < MINUTES_PER_HOUR else 15 if minutes_left < 12 * MINUTES_PER_HOUR else MINUTES_PER_HOUR
    return _format_minutes((minutes_left + step // 2) // step * step)


def _format_minutes(minutes: int) -> str:
    if minutes < 1:
        return "less than a minute"
    # Up to two days, people count in hours: "in 24 hours" rather than "in 1 day".
    days, rest = divmod(minutes, MINUTES_PER_DAY) if minutes >= 2 * MINUTES_PER_DAY else (0, minutes)
    hours, minutes = divmod(rest, MINUTES_PER_HOUR)
    parts = [(days, "day"), (hours, "hour"), (minutes, "minute")]
    return " ".join(f"{number} {unit}{'s' if number > 1 else ''}" for number, unit in parts if number)
