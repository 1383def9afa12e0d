"""What the sessions tell, and what they ask. Each sentence says when a fact is sent and when it is not."""

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
    """Which session a fact is about: its id, its title at that moment, and whose it is.

    Of a session that was hidden then, the title is that under which it was last visible.
    """

    session_id: int
    title: str
    creator_id: int


# --- A session's life -------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SessionOffered(AboutSession):
    """Sent when a member has offered a session, which now waits for a moderator."""

    words = "{actor} offered {title}"

    date: datetime


@dataclass(frozen=True, kw_only=True)
class SessionEdited(AboutSession):
    """Sent when fields of a session have changed; the record holds them before and after. Not for its status."""

    words = "{actor} edited {title}"

    second_look: bool


@dataclass(frozen=True, kw_only=True)
class SessionRescheduled(AboutSession):
    """Sent, after `SessionEdited`, when the start of a session has moved."""

    words = "{actor} moved {title} to another time"

    date: datetime
    previous_date: datetime
    participant_ids: tuple[int, ...]
    requester_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class SessionApproved(AboutSession):
    """Sent when a moderator has approved a session."""

    words = "{actor} approved {title}"


@dataclass(frozen=True, kw_only=True)
class SessionRejected(AboutSession):
    """Sent when a moderator has rejected a session that waited; the reason comes with the delivery."""

    words = "{actor} rejected {title}"


@dataclass(frozen=True, kw_only=True)
class SessionScheduled(AboutSession):
    """Sent when an approved session is settled: somebody is in, or its creator said so."""

    words = "{title} was scheduled"


@dataclass(frozen=True, kw_only=True)
class SessionCancelled(AboutSession):
    """Sent when a session is called off, with those who were in and those who had asked. Not for a rejection.

    Also when its creator was deactivated: then by who did that, whether it waited for a moderator or not. The reason is
    for nobody's eyes but moderators' where the creator gave it while the session was hidden.
    """

    words = "{actor} cancelled {title}"

    participant_ids: tuple[int, ...]
    requester_ids: tuple[int, ...]
    is_reason_told: bool = True


@dataclass(frozen=True, kw_only=True)
class SessionExpired(AboutSession):
    """Sent when the start was reached undecided, or with nobody in."""

    words = "the start of {title} was reached and it could not take place"

    why: Literal["undecided", "nobody_in"]
    requester_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class SessionStarted(AboutSession):
    """Sent when a session has begun, with those whose requests were still undecided and are now rejected."""

    words = "{title} started"

    requester_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class SessionCompleted(AboutSession):
    """Sent when a session is over."""

    words = "{title} ended"


@dataclass(frozen=True, kw_only=True)
class SessionDeleted(AboutSession):
    """Sent when a session's rows are gone; who keeps its id has to let go of it. Nobody was in.

    What calendars show of it comes along, since there is nobody left to ask. Old records have none of that.
    """

    words = "{actor} deleted {title}"

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

    words = "{actor} hid {title}"


@dataclass(frozen=True, kw_only=True)
class SessionShown(AboutSession):
    """Sent when a moderator has made a hidden session visible again."""

    words = "{actor} showed {title} again"


@dataclass(frozen=True, kw_only=True)
class SecondLookTaken(AboutSession):
    """Sent when a moderator has looked at what was changed after the approval and let it stand."""

    words = "{actor} let the edits of {title} stand"


# --- Booking ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class BookingRequested(AboutSession):
    """Sent when a member has asked to join, for the first time or again after a rejection."""

    words = "{member} asked to join {title}"

    request_id: int
    member_id: int
    requested_at: datetime


@dataclass(frozen=True, kw_only=True)
class BookingRequestApproved(AboutSession):
    """Sent when a request was approved and its member is in. Not when the same decision is made twice."""

    words = "{actor} approved the request of {member} to join {title}"

    request_id: int
    member_id: int


@dataclass(frozen=True, kw_only=True)
class BookingRequestRejected(AboutSession):
    """Sent when somebody rejected a request. Not for requests that a cancellation, an expiry or the start closes."""

    words = "{actor} rejected the request of {member} to join {title}"

    request_id: int
    member_id: int


@dataclass(frozen=True, kw_only=True)
class BookingRequestWithdrawn(AboutSession):
    """Sent when a member took an undecided request back, or was deactivated: then by who did that."""

    words = "{member} withdrew the request to join {title}"

    request_id: int
    member_id: int


@dataclass(frozen=True, kw_only=True)
class SeatLeft(AboutSession):
    """Sent when a participant has left by themselves, or was deactivated: then by who did that, with a reason."""

    words = "{member} left {title}"

    request_id: int
    member_id: int


@dataclass(frozen=True, kw_only=True)
class ParticipantRemoved(AboutSession):
    """Sent when the creator or a moderator has removed a participant."""

    words = "{actor} removed {member} from {title}"

    request_id: int
    member_id: int


@dataclass(frozen=True, kw_only=True)
class ParticipantRoleChanged(AboutSession):
    """Sent when the creator has made a participant a tutor, or a student again."""

    words = "{actor} made {member} a {role} of {title}"

    member_id: int
    role: Literal["student", "tutor"]


# --- Reminders --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ReminderDue(AboutSession):
    """Sent once per session, start and offset, with those who have to be reminded of it now.

    `minutes_before` is the offset it was due at, `minutes_left` what is left until the start (less, if the worker
    was late).
    """

    words = "{title} was about to start"

    date: datetime
    minutes_before: int
    minutes_left: int
    person_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class RequestsUndecided(AboutSession):
    """Sent once a start, 24 hours before it, when requests are undecided then: how many."""

    words = "requests to join {title} were undecided a day before its start"

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
    """Sent at most once an hour, when there is news of sessions that wait for a moderator: with those who can decide
    and how many wait.

    `own` says how many of these each of the moderators offered who offered some (in old records: nothing). `sessions`
    has for each of them the first 20 that are not theirs, the urgent ones before the others.
    """

    words = "sessions waited for a moderator"

    moderator_ids: tuple[int, ...]
    waiting: int
    sessions: tuple[WaitingSession, ...]
    own: dict[int, int] = field(default_factory=dict)


# --- Calendars --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CalendarFeedMade(Fact):
    """Sent when a member has made a link by which calendar programs read their sessions; the one before, if they had
    one (`replaced`), works no longer."""

    words = "{actor} made a link for calendar programs"

    member_id: int
    replaced: bool


@dataclass(frozen=True, kw_only=True)
class CalendarFeedRevoked(Fact):
    """Sent when a member has taken the link away from calendar programs. Not when they had none."""

    words = "{actor} revoked the link for calendar programs"

    member_id: int


# --- Questions --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class MaterialsOfSessions(Question[dict[int, list[dict[str, Any]]]]):
    """What do these sessions share? Asked only for sessions whose materials the viewer may read.

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
    """How many bytes, at least, does the answer to `MaterialsOfSessions` have for each of these sessions?

    Asked before, so that no more is read than can be sent.
    """

    session_ids: Collection[int]
    note_characters: int | None = None

    def default(self) -> dict[int, int]:
        return {}


@dataclass(frozen=True, kw_only=True)
class PanelsOfSession(Question[list[Panel]]):
    """What does each module show `viewer` on the page about a session? Each answers with the panels that they may see.

    Who `moderates` it sees all of them, and is offered what moderators may change; nobody but a superuser moderates
    their own. Others of the staff see what their rights show. `origin` (`https://host`) begins the links to files.
    """

    session_id: int
    viewer: User
    moderates: bool
    origin: str

    def default(self) -> list[Panel]:
        return []


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What a person reads of a piece of news; `is_muted` where they have switched off all news of its kind."""

    title: str
    message: str
    is_muted: bool = False


@dataclass(frozen=True, kw_only=True)
class NoticeAsked(Question[Notice | None]):
    """What would `person_id` read, were this fact published with this reason? With nobody to tell them, nothing."""

    fact: AboutSession
    reason: str
    person_id: int

    def default(self) -> Notice | None:
        return None
