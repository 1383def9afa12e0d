"""What people are told about, as they choose it: for each kind, whether in the app, by mail, by both or not at all."""

from dataclasses import dataclass

from django.db import models


class Kind(models.TextChoices):
    BOOKING_REQUEST = "booking_request", "Requests to join a session of yours"
    BOOKING_DECISION = "booking_decision", "Decisions on your requests to join"
    SEAT_LEFT = "seat_left", "Participants who leave a session of yours"
    SESSION_DECISION = "session_decision", "Moderators' decisions on your sessions"
    SESSION_RESCHEDULED = "session_rescheduled", "New times of your sessions"
    SESSION_CANCELLED = "session_cancelled", "Sessions of yours that do not take place"
    MATERIAL_ADDED = "material_added", "New materials in your sessions"
    MATERIAL_REMOVED = "material_removed", "Materials of yours that somebody removed"
    REMINDER = "reminder", "Reminders before your sessions start"
    MODERATION_DIGEST = "moderation_digest", "Sessions that wait for a moderator"


# Everything is shown in the app. These are mailed as well, unless a member chooses otherwise: what concerns a person.
MAILED_BY_DEFAULT = frozenset(Kind) - {Kind.SEAT_LEFT, Kind.MATERIAL_ADDED}
# News of these kinds does not wait for more news of its session: it cannot wait.
MAILED_AT_ONCE = frozenset({Kind.SESSION_CANCELLED, Kind.REMINDER, Kind.MODERATION_DIGEST})
# What changes something in the calendar of whom it concerns.
IN_CALENDARS = frozenset(
    {Kind.BOOKING_DECISION, Kind.SESSION_DECISION, Kind.SESSION_RESCHEDULED, Kind.SESSION_CANCELLED}
)


@dataclass(frozen=True, kw_only=True)
class Channels:
    """Where a member is told of one kind; `chosen` is false where that is the default."""

    in_app: bool
    mail: bool
    chosen: bool = False


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Where a member wants to be told of one kind from now on; `None` leaves it as it is."""

    in_app: bool | None = None
    mail: bool | None = None

    def applied_to(self, now: Channels) -> Channels:
        return Channels(
            in_app=now.in_app if self.in_app is None else self.in_app,
            mail=now.mail if self.mail is None else self.mail,
            chosen=True,
        )


def default_channels(kind: str) -> Channels:
    return Channels(in_app=True, mail=kind in MAILED_BY_DEFAULT)
