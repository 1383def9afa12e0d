"""Requests and responses of the notification operations (docs/contract.md, "Notifications")."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import ninja
from pydantic import BeforeValidator, ConfigDict, Field, StrictBool, create_model

from core.http.schemas import WHOLE_NUMBER, Identifier, RequestSchema
from modules.notifications.kinds import Channels, Choice, Kind, get_default_channels


class NotificationsIn(RequestSchema):
    """Which of the caller's notifications to list."""

    # OpenAPI parameters have a single `example`, unlike the `examples` of JSON Schema.
    limit: Annotated[int, WHOLE_NUMBER, Field(ge=1, le=500)] = Field(
        100, description="At most so many.", json_schema_extra={"example": 100}
    )
    before: Identifier | None = Field(
        None,
        description="Only those older than the one of this id: the last of the page before.",
        json_schema_extra={"example": 42},
    )
    unread: bool = Field(
        False, description="`true`: only those not read yet. `false`: all.", json_schema_extra={"example": True}
    )


class NotificationOut(ninja.Schema):
    id: int = Field(examples=[1])
    user: int = Field(description="Who was told: always the caller.", examples=[1])
    title: str = Field(examples=["New booking request for Advanced Python Programming"])
    message: str = Field(examples=["Bob Wilson wants to join your session."])
    type: Literal["reminder", "booking_request", "session_update", "general"] = Field(examples=["booking_request"])
    session: int | None = Field(description="Which session it is about; null once that is gone.", examples=[1])
    read: bool = Field(examples=[False])
    created_at: datetime = Field(examples=["2024-01-13T11:00:00Z"])


class UnreadCountOut(ninja.Schema):
    count: int = Field(examples=[3])


class MarkedOut(ninja.Schema):
    updated: int = Field(description="How many were unread until now.", examples=[3])


WHY = (
    "You were told because Bob Wilson asked to join Knots That Hold on Saturday, 13 January 2024 at 11:00 (UTC), "
    "and by your preferences “Requests to join a session of yours” is shown in the app alone, as you chose."
)


class WhyOut(ninja.Schema):
    why: str = Field(
        description="One sentence: which fact brought it, and which preference decided where it is told.",
        examples=[WHY],
    )
    kind: Literal[tuple(Kind.values)] = Field(description="The preference.", examples=["booking_request"])  # type: ignore[valid-type]
    in_app: bool = Field(description="Whether it is shown in the app.", examples=[True])
    mail: bool = Field(description="Whether it was to be mailed.", examples=[True])
    occurred_at: datetime = Field(examples=["2024-01-13T11:00:00Z"])


class ChannelsOut(ninja.Schema):
    in_app: bool = Field(examples=[True])
    mail: bool = Field(examples=[True])


class ChannelsIn(RequestSchema):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    in_app: StrictBool | None = Field(None, examples=[True])
    mail: StrictBool | None = Field(None, examples=[False])


def _build_defaults(kind: Kind) -> dict[str, bool]:
    channels = get_default_channels(kind)
    return {"in_app": channels.in_app, "mail": channels.mail}


# One field for each kind, so that the API document lists all of them.
_OUT_FIELDS: dict[str, Any] = {
    str(kind): (ChannelsOut, Field(description=f"{kind.label}.", examples=[_build_defaults(kind)])) for kind in Kind
}
PreferencesOut: Any = create_model("PreferencesOut", __base__=ninja.Schema, **_OUT_FIELDS)


class _PreferencesIn(RequestSchema):
    """Any of the kinds, each with any of the two. A kind that there is not is an error rather than ignored."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"reminder": {"mail": False}}})

    def get_choices(self) -> dict[Kind, Choice]:
        """Return the choices for the kinds that were sent."""
        sent = {Kind(name): getattr(self, name) for name in self.model_fields_set if getattr(self, name) is not None}
        return {kind: Choice(in_app=channels.in_app, mail=channels.mail) for kind, channels in sent.items()}


def _require_object(value: Any) -> Any:
    """Reject values other than objects, whose attributes ninja would read for a nested schema."""
    if value is not None and not isinstance(value, dict):
        raise ValueError("Must be an object.")
    return value


_Channels = Annotated[ChannelsIn | None, BeforeValidator(_require_object)]
_IN_FIELDS: dict[str, Any] = {str(kind): (_Channels, Field(None, description=f"{kind.label}.")) for kind in Kind}
PreferencesIn: Any = create_model("PreferencesIn", __base__=_PreferencesIn, **_IN_FIELDS)


def present_preferences(channels: Mapping[Kind, Channels]) -> dict[str, dict[str, bool]]:
    return {str(kind): {"in_app": each.in_app, "mail": each.mail} for kind, each in channels.items()}
