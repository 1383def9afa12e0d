"""Kinds of notification, and the channels of each: in the app, by mail, both or none.

`kind` is what preferences are set by; the API's `type` is the coarser one of the documented client.
"""

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


# By default, every kind is shown in the app, and these are mailed, too.
MAILED_BY_DEFAULT = frozenset(Kind) - {Kind.SEAT_LEFT, Kind.MATERIAL_ADDED}
# Mail of these kinds is not delayed and coalesced with other news of its session.
MAILED_AT_ONCE = frozenset({Kind.SESSION_CANCELLED, Kind.REMINDER, Kind.MODERATION_DIGEST})
# Kinds that change something in the reader's calendar.
CHANGES_CALENDAR = frozenset(
    {Kind.BOOKING_DECISION, Kind.SESSION_DECISION, Kind.SESSION_RESCHEDULED, Kind.SESSION_CANCELLED}
)


@dataclass(frozen=True, kw_only=True)
class Channels:
    """Where a member is notified of one kind; `chosen` is false for the default."""

    in_app: bool
    mail: bool
    chosen: bool = False


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A change of the channels of one kind; `None` leaves a channel unchanged."""

    in_app: bool | None = None
    mail: bool | None = None

    def apply_to(self, now: Channels) -> Channels:
        return Channels(
            in_app=now.in_app if self.in_app is None else self.in_app,
            mail=now.mail if self.mail is None else self.mail,
            chosen=True,
        )


def get_default_channels(kind: str) -> Channels:
    return Channels(in_app=True, mail=kind in MAILED_BY_DEFAULT)
