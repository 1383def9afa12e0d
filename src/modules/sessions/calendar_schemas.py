"""Requests and responses of the calendar operations."""

from datetime import datetime

import ninja
from pydantic import ConfigDict, Field

from core.http.schemas import SingleValueSchema


class CalendarQuery(SingleValueSchema):
    # Without validation: any malformed token is a 404, like an unknown one.
    token: str = Field("", description="That of the `url` of a calendar link.")


class CalendarLink(ninja.Schema):
    """The link by which calendar programs read the caller's sessions; all of it `null` where there is none."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "url": "https://learn.example/api/sessions/calendar.ics?token=q7Hk2VZ.b3Jx9Lw",
                "created_at": "2024-01-10T10:00:00Z",
                "last_used_at": "2024-01-13T11:00:00Z",
            }
        }
    )

    url: str | None = Field(description="Whoever has it reads these sessions: it belongs to nobody else.")
    created_at: datetime | None
    last_used_at: datetime | None = Field(description="To the hour; `null` while no program has read it.")
