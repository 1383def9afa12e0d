"""What the notification operations take and answer (docs/contract.md, "Notifications")."""

from datetime import datetime
from typing import Annotated, Literal

import ninja
from pydantic import Field

from core.http.schemas import Identifier, RequestSchema


class NotificationsIn(RequestSchema):
    """Which of the caller's notifications to list."""

    # Of a parameter in the query string, OpenAPI takes one `example` where JSON Schema takes a list of `examples`.
    limit: Annotated[int, Field(ge=1, le=500)] = Field(
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
