"""The facts that this module publishes, and the questions that it asks."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from core.accounts.models import User
from core.accounts.presentation import EmailAudience
from core.facts import Fact, Question
from core.portal.panels import Panel


@dataclass(frozen=True, kw_only=True)
class SessionFact(Fact, abstract=True):
    """The base of facts about a session; `title` is the public title at that time (see `Session.public_title`)."""

    session_id: int
    title: str
    creator_id: int


# --- A session's life -------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SessionOffered(SessionFact):
    """Sent when a member has offered a session, which now waits for a moderator."""

    summary_template = "{actor} offered {title}"

    date: datetime


@dataclass(frozen=True, kw_only=True)
class SessionEdited(SessionFact):
    """Sent when fields of a session have changed; the record holds them before and after. Not for its status."""

    summary_template = "{actor} edited {title}"

    second_look: bool


@dataclass(frozen=True, kw_only=True)
class SessionRescheduled(SessionFact):
    """Sent, after `SessionEdited`, when the start of a session has moved."""

    summary_template = "{actor} moved {title} to another time"

    date: datetime
    previous_date: datetime
    participant_ids: tuple[int, ...]
    requester_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class SessionApproved(SessionFact):
    """Sent when a moderator has approved a session."""

    summary_template = "{actor} approved {title}"


@dataclass(frozen=True, kw_only=True)
class SessionRejected(SessionFact):
    """Sent when a moderator has rejected a session that waited; the reason comes with the delivery."""

    summary_template = "{actor} rejected {title}"


@dataclass(frozen=True, kw_only=True)
class SessionScheduled(SessionFact):
    """Sent when an approved session gets its first participant, or its creator schedules it."""

    summary_template = "{title} was scheduled"


@dataclass(frozen=True, kw_only=True)
class SessionCancelled(SessionFact):
    """Sent when a session is cancelled, with its participants and those who had asked. Not for a rejection.

    Also when its creator was deactivated; then the actor is who did that. `is_reason_told` is false if only moderators
    may read the reason, because the creator gave it while the session was hidden.
    """

    summary_template = "{actor} cancelled {title}"

    participant_ids: tuple[int, ...]
    requester_ids: tuple[int, ...]
    is_reason_told: bool = True


@dataclass(frozen=True, kw_only=True)
class SessionExpired(SessionFact):
    """Sent when the start was reached without a decision on the session, or without participants."""

    summary_template = "the start of {title} was reached and it could not take place"

    why: Literal["undecided", "nobody_in"]
    requester_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class SessionStarted(SessionFact):
    """Sent when a session has started, with those whose pending requests were rejected because of that."""

    summary_template = "{title} started"

    requester_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class SessionCompleted(SessionFact):
    """Sent when a session is over."""

    summary_template = "{title} ended"


@dataclass(frozen=True, kw_only=True)
class SessionDeleted(SessionFact):
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
class SessionHidden(SessionFact):
    """Sent when a moderator has hidden a session from those who are not in it."""

    summary_template = "{actor} hid {title}"


@dataclass(frozen=True, kw_only=True)
class SessionShown(SessionFact):
    """Sent when a moderator has made a hidden session visible again."""

    summary_template = "{actor} showed {title} again"


@dataclass(frozen=True, kw_only=True)
class SecondLookTaken(SessionFact):
    """Sent when a moderator has accepted the edits since the approval."""

    summary_template = "{actor} let the edits of {title} stand"


# --- Booking ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class BookingRequested(SessionFact):
    """Sent when a member has asked to join, for the first time or again after a rejection."""

    summary_template = "{member} asked to join {title}"

    request_id: int
    member_id: int
    requested_at: datetime


@dataclass(frozen=True, kw_only=True)
class BookingRequestApproved(SessionFact):
    """Sent when a booking request was approved. Not when it was approved already."""

    summary_template = "{actor} approved the request of {member} to join {title}"

    request_id: int
    member_id: int


@dataclass(frozen=True, kw_only=True)
class BookingRequestRejected(SessionFact):
    """Sent when somebody rejected a request. Not for requests that a cancellation, an expiry or the start closes."""

    summary_template = "{actor} rejected the request of {member} to join {title}"

    request_id: int
    member_id: int


@dataclass(frozen=True, kw_only=True)
class BookingRequestWithdrawn(SessionFact):
    """Sent when a pending request is withdrawn, also by a deactivation: then the actor is who did that."""

    summary_template = "{member} withdrew the request to join {title}"

    request_id: int
    member_id: int


@dataclass(frozen=True, kw_only=True)
class SeatLeft(SessionFact):
    """Sent when a participant has left, also by a deactivation: then the actor is who did that, with a reason."""

    summary_template = "{member} left {title}"

    request_id: int
    member_id: int


@dataclass(frozen=True, kw_only=True)
class ParticipantRemoved(SessionFact):
    """Sent when the creator or a moderator has removed a participant."""

    summary_template = "{actor} removed {member} from {title}"

    request_id: int
    member_id: int


@dataclass(frozen=True, kw_only=True)
class ParticipantRoleChanged(SessionFact):
    """Sent when the creator has made a participant a tutor, or a student again."""

    summary_template = "{actor} made {member} a {role} of {title}"

    member_id: int
    role: Literal["student", "tutor"]


# --- Reminders --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ReminderDue(SessionFact):
    """Sent once per session, start and offset, with the members to remind.

    `minutes_before` is the offset, `minutes_left` the time until the start, which is less if the worker was late.
    """

    summary_template = "{title} was about to start"

    date: datetime
    minutes_before: int
    minutes_left: int
    person_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class RequestsUndecided(SessionFact):
    """Sent once for each start, 24 hours before it, if requests are pending; `undecided` is their number."""

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

    `moderator_ids` are all moderators, `waiting` is the number of sessions. `own` maps moderators to the number of
    these that they offered themselves (empty in old records). `sessions` has for each moderator the first 20 by start
    that are not their own.
    """

    summary_template = "sessions waited for a moderator"

    moderator_ids: tuple[int, ...]
    waiting: int
    sessions: tuple[WaitingSession, ...]
    own: dict[int, int] = field(default_factory=dict)


# --- Calendars --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CalendarFeedMade(Fact):
    """Sent when a member has made a calendar link; `replaced` if that revoked an earlier one."""

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

    `audiences` has, by session id, whose e-mail addresses the viewer may see; URLs of files begin with `origin`
    (`https://host`); `note_characters` truncates each note. The answer has the documented material rows by session id,
    the oldest first.
    """

    audiences: Mapping[int, EmailAudience]
    origin: str
    note_characters: int | None = None

    def default(self) -> dict[int, list[dict[str, Any]]]:
        return {}


@dataclass(frozen=True, kw_only=True)
class SizesOfMaterials(Question[dict[int, int]]):
    """The minimum size in bytes of the answer to `MaterialsOfSessions`, by session id.

    Asked first, so that no more is loaded than can be sent.
    """

    session_ids: Collection[int]
    note_characters: int | None = None

    def default(self) -> dict[int, int]:
        return {}


@dataclass(frozen=True, kw_only=True)
class PanelsOfSession(Question[list[Panel]]):
    """The panels of each module for `viewer` on the portal's page of a session.

    With `can_moderate`, all panels with the actions of moderators; other staff see what their permissions allow. URLs
    of files begin with `origin` (`https://host`).
    """

    session_id: int
    viewer: User
    can_moderate: bool
    origin: str

    def default(self) -> list[Panel]:
        return []


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A notification as its reader would see it; `is_muted` if their preferences suppress its kind."""

    title: str
    message: str
    is_muted: bool = False


@dataclass(frozen=True, kw_only=True)
class NoticeAsked(Question[Notice | None]):
    """The notification that `person_id` would get if this fact were published with this reason, if any."""

    fact: SessionFact
    reason: str
    person_id: int

    def default(self) -> Notice | None:
        return None
