"""Requests and responses of the session operations (docs/contract.md, "Sessions" and "Booking")."""

from datetime import datetime
from typing import Annotated, Any, Literal

import ninja
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, field_validator

from core.accounts.schemas import UserOut
from core.http.schemas import LINES, ONE_LINE, WHOLE_NUMBER, Identifier, RequestSchema
from core.text.limits import MAX_REASON_LENGTH
from modules.sessions import examples
from modules.sessions.models import MAX_MINUTES, MAX_SEATS, MIN_MINUTES, MIN_SEATS
from modules.sessions.states import Status, describe_transitions
from modules.sessions.wall_clock import SentDate, parse_bound, parse_date, validate_zone

StatusName = Literal["pending_approval", "approved", "scheduled", "ongoing", "completed", "cancelled", "expired"]
RequestStatusName = Literal["pending", "approved", "rejected"]
LevelName = Literal["beginner", "intermediate", "advanced"]
OrderingName = Literal["date", "-date", "created_at", "-created_at"]

Title = Annotated[str, StringConstraints(min_length=1, max_length=200), ONE_LINE]
Description = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=5000), LINES]
Subject = Annotated[str, StringConstraints(min_length=1, max_length=100), ONE_LINE]
Minutes = Annotated[int, WHOLE_NUMBER, Field(ge=MIN_MINUTES, le=MAX_MINUTES)]
Seats = Annotated[int, WHOLE_NUMBER, Field(ge=MIN_SEATS, le=MAX_SEATS)]
Zone = Annotated[str, AfterValidator(validate_zone)]
PageNumber = Annotated[int, WHOLE_NUMBER, Field(ge=1)]
PageSize = Annotated[int, WHOLE_NUMBER, Field(ge=1, le=100)]
Message = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000), LINES]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_REASON_LENGTH), LINES]

# The default of fields that may be omitted, but not be null; it is never read.
UNSENT: Any = None

# How many booking requests are shown with a session; all of them are in paginated lists.
MAX_REQUESTS_SHOWN = 200
# The page size of each list of `my_sessions/`, and its maximum.
MAX_MY_SESSIONS = 100

WRITABLE = ("title", "description", "subject", "level", "duration", "max_participants")

# --- Answers ----------------------------------------------------------------------------------------------------


class SessionCreated(ninja.Schema):
    """A session as creating it answers."""

    model_config = ConfigDict(json_schema_extra={"example": examples.SESSION})

    id: int
    title: str
    description: str
    subject: str
    level: LevelName
    date: datetime = Field(description="The start, in UTC.")
    duration: int = Field(description="Minutes.")
    max_participants: int
    creator: UserOut
    status: StatusName = Field(description=f"Moves along these edges only:\n\n{describe_transitions()}")
    created_at: datetime
    updated_at: datetime


class ParticipantOut(ninja.Schema):
    model_config = ConfigDict(json_schema_extra={"example": examples.PARTICIPANT})

    id: int
    user: UserOut
    role: Literal["student", "tutor"] = Field(description="A tutor may add materials.")
    status: RequestStatusName = Field(description="Always `approved`: there are no others.")
    joined_at: datetime


class BookingRequestOut(ninja.Schema):
    model_config = ConfigDict(json_schema_extra={"example": examples.BOOKING_REQUEST})

    id: int
    user: UserOut
    message: str
    status: RequestStatusName
    requested_at: datetime


class SharedMaterial(ninja.Schema):
    """A material in a session's detail, as `GET materials/` answers it."""

    model_config = ConfigDict(json_schema_extra={"example": examples.MATERIAL})

    id: int
    title: str
    type: Literal["file", "link", "note"]
    url: str
    file: str = Field(description="A link that runs out.")
    file_name: str
    content: str
    uploaded_by: UserOut
    uploaded_at: datetime


class SessionListed(SessionCreated):
    """A session as the list shows it."""

    model_config = ConfigDict(json_schema_extra={"example": examples.LISTED})

    participant_count: int = Field(description="Who is in, the creator not among them.")
    is_full: bool
    available_spots: int
    can_join: bool = Field(description="Whether the caller's own `join/` would succeed now.")
    participants: list[ParticipantOut] = Field(
        description="The caller alone, where they are in: all of them are in the detail."
    )
    materials: list[SharedMaterial] = Field(description="Always empty here: they are in the detail.")
    booking_requests: list[BookingRequestOut] = Field(
        description="The caller's own request alone, where there is one, also for who runs the session."
    )


class SessionDetail(SessionCreated):
    """A session in full."""

    model_config = ConfigDict(json_schema_extra={"example": examples.DETAIL})

    participants: list[ParticipantOut]
    materials: list[SharedMaterial] = Field(description="Empty for those who may not read them.")
    booking_requests: list[BookingRequestOut] = Field(
        description="The creator and moderators see those that wait, then the others, the newest first,"
        f" {MAX_REQUESTS_SHOWN} at most (all of them are at `booking_requests/`), a requester their own, everyone else"
        " none."
    )
    is_full: bool
    available_spots: int
    participant_count: int = Field(description="Who is in, the creator not among them.")
    can_join: bool = Field(description="Whether the caller's own `join/` would succeed now.")


class SessionPage(ninja.Schema):
    count: int
    next: str | None
    previous: str | None
    results: list[SessionListed]


class BookingRequestPage(ninja.Schema):
    count: int
    next: str | None
    previous: str | None
    results: list[BookingRequestOut]


class MySessions(ninja.Schema):
    created: list[SessionDetail]
    joined: list[SessionDetail] = Field(description="Those that the caller is a participant of.")


# --- Requests ---------------------------------------------------------------------------------------------------


class DatedRequestSchema(RequestSchema):
    """A date, and how to interpret one without an offset."""

    date: Any = Field(
        json_schema_extra={"type": "string"},
        description=(
            "With an offset or `Z` an instant. Without, the wall clock of the sender: read by `timezone_offset`, or by"
            " the rules of `timezone` (else of the zone in the member's profile) where that zone's offset now agrees"
            " with it or none is sent."
        ),
        examples=["2024-01-15T14:00:00-05:00"],
    )
    timezone_offset: Any = Field(
        None,
        json_schema_extra={"anyOf": [{"type": "integer", "minimum": -840, "maximum": 840}, {"type": "null"}]},
        description="What JavaScript's `getTimezoneOffset()` says: minutes to ADD to local time to get UTC."
        " Looked at only where `date` has no offset.",
        examples=[300],
    )
    timezone: Zone | None = Field(None, description="IANA name, for this request only.", examples=["America/New_York"])

    @field_validator("date", mode="after")
    @classmethod
    def _parse_date(cls, value: object) -> datetime:
        if not isinstance(value, str):
            raise ValueError("Must be a date and time such as 2024-01-15T14:00:00Z.")
        return parse_date(value)

    def get_date(self) -> SentDate:
        return SentDate(value=self.date, offset=self.timezone_offset, zone=self.timezone)


class SessionIn(DatedRequestSchema):
    model_config = ConfigDict(json_schema_extra={"example": examples.OFFER})

    title: Title
    description: Description
    subject: Subject
    level: LevelName
    duration: Minutes = Field(description="Minutes.")
    max_participants: Seats

    def get_values(self) -> dict[str, Any]:
        return self.model_dump(include=set(WRITABLE))


class SessionChanges(DatedRequestSchema):
    """Any subset of the writable fields; others (ids, counts, lists) are ignored, since whole objects come back."""

    model_config = ConfigDict(json_schema_extra={"example": examples.CHANGES})

    title: Title = Field(default=UNSENT)
    description: Description = Field(default=UNSENT)
    subject: Subject = Field(default=UNSENT)
    level: LevelName = Field(default=UNSENT)
    duration: Minutes = Field(default=UNSENT, description="Minutes.")
    max_participants: Seats = Field(default=UNSENT)
    date: Any = Field(
        default=UNSENT,
        json_schema_extra={"type": "string"},
        description=(
            "As for creating. Without an offset and equal to the stored start's UTC wall clock, to the minute, it is no"
            " change."
        ),
        examples=["2024-01-16T14:00:00-05:00"],
    )
    status: StatusName = Field(
        default=UNSENT,
        description="`cancelled`, `ongoing` and `completed` are the same as `cancel/`, `start/` and `end/`;"
        " `scheduled` settles an approved session; `approved` is a moderator's. The stored one is no change.",
    )
    reason: Reason | None = Field(None, description="For a cancellation; a moderator who rejects must give one.")

    def get_values(self) -> dict[str, Any]:
        return self.model_dump(include=set(WRITABLE), exclude_unset=True)

    def get_target_status(self) -> Status | None:
        return Status(self.status) if "status" in self.model_fields_set else None

    def get_changed_date(self) -> SentDate | None:
        return self.get_date() if "date" in self.model_fields_set else None


class JoinIn(RequestSchema):
    message: Message | None = Field(None, examples=["I would like to join this session"])


class RequesterIn(RequestSchema):
    user_id: Identifier = Field(description="The member who asked to join.", examples=[3])


class CancelIn(RequestSchema):
    reason: Reason | None = Field(
        None,
        description="Told to everyone concerned; a moderator who rejects a pending session must give one.",
        examples=["I have fallen ill"],
    )


class RoleIn(RequestSchema):
    role: Literal["student", "tutor"]


class SessionQuery(RequestSchema):
    """Filters, ordering and page of a list of sessions."""

    status: list[StatusName] = Field([], description="Any of these: it may be given several times.")
    subject: str | None = Field(None, description="Contains this, whatever the case.", max_length=100)
    level: list[LevelName] = Field([], description="Any of these: it may be given several times.")
    date_from: Any = Field(
        None,
        json_schema_extra={"type": "string", "example": "2024-01-15"},
        description="An instant or a plain day (UTC), inclusive.",
    )
    date_to: Any = Field(
        None,
        json_schema_extra={"type": "string", "example": "2024-01-31"},
        description="An instant or a plain day (UTC), which is included whole.",
    )
    creator: Annotated[int, WHOLE_NUMBER, Field(ge=0, le=2**63 - 1)] | None = Field(
        None, description="The creator's id."
    )
    ordering: OrderingName = Field("-date")
    page: PageNumber = Field(1)
    page_size: PageSize = Field(20)

    @field_validator("date_from", mode="after")
    @classmethod
    def _parse_date_from(cls, value: Any) -> datetime | None:
        return None if value is None else parse_bound(str(value), end=False)

    @field_validator("date_to", mode="after")
    @classmethod
    def _parse_date_to(cls, value: Any) -> datetime | None:
        return None if value is None else parse_bound(str(value), end=True)


class BookingRequestQuery(RequestSchema):
    """Filters and page of a list of booking requests."""

    status: list[RequestStatusName] = Field([], description="Any of these: it may be given several times.")
    page: PageNumber = Field(1)
    page_size: PageSize = Field(20)


class MySessionsQuery(RequestSchema):
    """Page size and cursors of both lists, as in the `Link` header of the previous page."""

    limit: Annotated[int, WHOLE_NUMBER, Field(ge=1, le=MAX_MY_SESSIONS)] = Field(
        MAX_MY_SESSIONS, description="At most so many of each list."
    )
    created_before: Identifier | None = Field(None, description="The last session of `created` so far.")
    joined_before: Identifier | None = Field(None, description="The last session of `joined` so far.")
