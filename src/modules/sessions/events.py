"""The facts that this module publishes, and the questions that it asks; each says when it is sent, and when not."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from core.accounts.models import User
from core.accounts.presentation import EmailAudience
from core.facts import Fact, Question
from core.portal.panels import Panel


@dataclass(frozen=True, kw_only=True)
class AboutSession(Fact, abstract=True):
    """The base of facts about a session; `title` is the public title at that time (see `Session.public_title`)."""

    session_id: int
    title: str
    creator_id: int


# --- A session's life -------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SessionOffered(AboutSession):
    """Sent when a member has offered a session, which now waits for a moderator."""

    summary_template = "{actor} offered {title}"

    date: datetime


@dataclass(frozen=True, kw_only=True)
class SessionEdited(AboutSession):
    """Sent when fields of a session have changed; the record holds them before and after. Not for its status."""

    summary_template = "{actor} edited {title}"

    second_look: bool


@dataclass(frozen=True, kw_only=True)
class SessionRescheduled(AboutSession):
    """Sent, after `SessionEdited`, when the start of a session has moved."""

    summary_template = "{actor} moved {title} to another time"

    date: datetime
    previous_date: datetime
    participant_ids: tuple[int, ...]
    requester_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class SessionApproved(AboutSession):
    """Sent when a moderator has approved a session."""

    summary_template = "{actor} approved {title}"


@dataclass(frozen=True, kw_only=True)
class SessionRejected(AboutSession):
    """Sent when a moderator has rejected a session that waited; the reason comes with the delivery."""

    summary_template = "{actor} rejected {title}"


@dataclass(frozen=True, kw_only=True)
class SessionScheduled(AboutSession):
    """Sent when an approved session gets its first participant, or its creator schedules it."""

    summary_template = "{title} was scheduled"


@dataclass(frozen=True, kw_only=True)
class SessionCancelled(AboutSession):
    """Sent when a session is cancelled, with its participants and those who had asked. Not for a rejection.

    Also when its creator was deactivated; then the actor is who did that. `is_reason_told` is false where only
    moderators may read the reason, since the creator gave it while the session was hidden.
    """

    summary_template = "{actor} cancelled {title}"

    participant_ids: tuple[int, ...]
    requester_ids: tuple[int, ...]
    is_reason_told: bool = True


@dataclass(frozen=True, kw_only=True)
class SessionExpired(AboutSession):
    """Sent when the start was reached without a decision on the session, or without participants."""

    summary_template = "the start of {title} was reached and it could not take place"

    why: Literal["undecided", "nobody_in"]
    requester_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class SessionStarted(AboutSession):
    """Sent when a session has started, with those whose pending requests are rejected by that."""

    summary_template = "{title} started"

    requester_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class SessionCompleted(AboutSession):
    """Sent when a session is over."""

    summary_template = "{title} ended"


@dataclass(frozen=True, kw_only=True)
class SessionDeleted(AboutSession):
    """Sent when a session was deleted; modules that keep its id have to delete what belongs to it.

    It had no participants. The fields with defaults are what calendars show of it; old records do not have them.
    """

    summary_template = "{actor} deleted {title}"

    requester_ids: tuple[int, ...]
    description: str = ""
    date: datetime | None = None
    ends_at: datetime | None = None
    calendar_uid: str = ""
    calendar_sequence: int = 0
    ever_approved: bool = False


@dataclass(frozen=True, kw_only=True)
class SessionHidden(AboutSession):
    """Sent when a moderator has hidden a session from those who are not in it."""

    summary_template = "{actor} hid {title}"


@dataclass(frozen=True, kw_only=True)
class SessionShown(AboutSession):
    """Sent when a moderator has made a hidden session visible again."""

    summary_template = "{actor} showed {title} again"


@dataclass(frozen=True, kw_only=True)
class SecondLookTaken(AboutSession):
    """Sent when a moderator has looked at what was changed after the approval and let it stand."""

    summary_template = "{actor} let the edits of {title} stand"


# --- Booking ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class BookingRequested(AboutSession):
    """Sent when a member has asked to join, for the first time or again after a rejection."""

    summary_template = "{member} asked to join {title}"

    request_id: int
    member_id: int
    requested_at: datetime


@dataclass(frozen=True, kw_only=True)
class BookingRequestApproved(AboutSession):
    """Sent when a booking request was approved. Not when it was approved already."""

    summary_template = "{actor} approved the request of {member} to join {title}"

    request_id: int
    member_id: int


@dataclass(frozen=True, kw_only=True)
class BookingRequestRejected(AboutSession):
    """Sent when somebody rejected a request. Not for requests that a cancellation, an expiry or the start closes."""

    summary_template = "{actor} rejected the request of {member} to join {title}"

    request_id: int
    member_id: int


@dataclass(frozen=True, kw_only=True)
class BookingRequestWithdrawn(AboutSession):
    """Sent when a pending request is withdrawn, also by a deactivation: then the actor is who did that."""

    summary_template = "{member} withdrew the request to join {title}"

    request_id: int
    member_id: int


@dataclass(frozen=True, kw_only=True)
class SeatLeft(AboutSession):
    """Sent when a participant has left, also by a deactivation: then the actor is who did that, with a reason."""

    summary_template = "{member} left {title}"

    request_id: int
    member_id: int


@dataclass(frozen=True, kw_only=True)
class ParticipantRemoved(AboutSession):
    """Sent when the creator or a moderator has removed a participant."""

    summary_template = "{actor} removed {member} from {title}"

    request_id: int
    member_id: int


@dataclass(frozen=True, kw_only=True)
class ParticipantRoleChanged(AboutSession):
    """Sent when the creator has made a participant a tutor, or a student again."""

    summary_template = "{actor} made {member} a {role} of {title}"

    member_id: int
    role: Literal["student", "tutor"]


# --- Reminders --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ReminderDue(AboutSession):
    """Sent once per session, start and offset, with those who are to be reminded.

    `minutes_before` is the offset, `minutes_left` the time until the start, less if the worker was late.
    """

    summary_template = "{title} was about to start"

    date: datetime
    minutes_before: int
    minutes_left: int
    person_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class RequestsUndecided(AboutSession):
    """Sent once for a start, 24 hours before it, if requests are pending then; `undecided` is how many."""

    summary_template = "requests to join {title} were undecided a day before its start"

    date: datetime
    undecided: int


@dataclass(frozen=True, kw_only=True)
class WaitingSession:
    """A session that waits for a moderator."""

    session_id: int
    title: str
    creator_id: int
    date: datetime
    urgent: bool


@dataclass(frozen=True, kw_only=True)
class SessionsWaiting(Fact):
    """Sent at most once an hour, when there is news of sessions that wait for a moderator.

    `moderator_ids` are all who can decide, `waiting` is how many sessions wait. `own` maps moderators to how many of
    these they offered themselves (empty in old records). `sessions` has for each moderator the first 20 by start that
    are not their own.
    """

    summary_template = "sessions waited for a moderator"

    moderator_ids: tuple[int, ...]
    waiting: int
    sessions: tuple[WaitingSession, ...]
    own: dict[int, int] = field(default_factory=dict)


# --- Calendars --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CalendarFeedMade(Fact):
    """Sent when a member has made a calendar link; `replaced` where it revokes an earlier one."""

    summary_template = "{actor} made a link for calendar programs"

    member_id: int
    replaced: bool


@dataclass(frozen=True, kw_only=True)
class CalendarFeedRevoked(Fact):
    """Sent when a member has revoked their calendar link. Not when they had none."""

    summary_template = "{actor} revoked the link for calendar programs"

    member_id: int


# --- Questions --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class MaterialsOfSessions(Question[dict[int, list[dict[str, Any]]]]):
    """The materials of these sessions. Asked only for sessions whose materials the viewer may read.

    `audiences` says, per session id, whose addresses the viewer may see there; `origin` (`https://host`) begins the
    links to files; `note_characters` cuts each note to its first so many. The answer has the documented material rows
    by session id, the oldest first.
    """

    audiences: Mapping[int, EmailAudience]
    origin: str
    note_characters: int | None = None

    def default(self) -> dict[int, list[dict[str, Any]]]:
        return {}


@dataclass(frozen=True, kw_only=True)
class SizesOfMaterials(Question[dict[int, int]]):
    """The least size in bytes of the answer to `MaterialsOfSessions`, by session id.

    Asked before it, so that no more is read than can be sent.
    """

    session_ids: Collection[int]
    note_characters: int | None = None

    def default(self) -> dict[int, int]:
        return {}


@dataclass(frozen=True, kw_only=True)
class PanelsOfSession(Question[list[Panel]]):
    """The panels of each module for `viewer` on the page about a session.

    With `can_moderate` all panels, with the actions of moderators; other staff see what their permissions
    allow. `origin` (`https://host`) begins the links to files.
    """

    session_id: int
    viewer: User
    can_moderate: bool
    origin: str

    def default(self) -> list[Panel]:
        return []


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A notification as a person reads it; `is_muted` where their preferences suppress its kind."""

    title: str
    message: str
    is_muted: bool = False


@dataclass(frozen=True, kw_only=True)
class NoticeAsked(Question[Notice | None]):
    """The notification that `person_id` would get if this fact were published with this reason, if any."""

    fact: AboutSession
    reason: str
    person_id: int

    def default(self) -> Notice | None:
        return None
