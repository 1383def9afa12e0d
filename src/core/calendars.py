"""Calendar files (RFC 5545 and 5546): what a calendar program is told of one event, and of many."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class CalendarEvent:
    """One event as calendars show it. `uid` stays what it is for ever; `sequence` rises with every change of it."""

    uid: str
    sequence: int
    starts_at: datetime
    ends_at: datetime
    summary: str
    description: str
    url: str
    organizer: str
    changed_at: datetime
    is_cancelled: bool = False
    is_tentative: bool = False
