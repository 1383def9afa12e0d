"""Facts about one session, as its module would publish them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from core.time import clock
from modules.materials.events import MaterialAdded
from modules.sessions import events

SESSION = 7
TITLE = "Advanced Python Programming"
START = datetime(2024, 1, 15, 19, 0, tzinfo=UTC)


def about(creator: Any) -> dict[str, Any]:
    return {"session_id": SESSION, "title": TITLE, "creator_id": creator.pk}


def booking(kind: Any, *, creator: Any, member: Any) -> Any:
    when = {"requested_at": clock.now()} if kind is events.BookingRequested else {}
    return kind(**about(creator), request_id=11, member_id=member.pk, **when)


def rescheduled(creator: Any, *, participants: Any = (), requesters: Any = ()) -> Any:
    return events.SessionRescheduled(
        **about(creator),
        date=START,
        previous_date=START - timedelta(days=1),
        participant_ids=tuple(member.pk for member in participants),
        requester_ids=tuple(member.pk for member in requesters),
    )


def cancelled(creator: Any, *, participants: Any = (), requesters: Any = ()) -> Any:
    return events.SessionCancelled(
        **about(creator),
        participant_ids=tuple(member.pk for member in participants),
        requester_ids=tuple(member.pk for member in requesters),
    )


def material(uploader: Any) -> MaterialAdded:
    return MaterialAdded(material_id=5, session_id=SESSION, title="Python Basics PDF", uploader_id=uploader.pk)


def reminder(creator: Any, *people: Any, before: int = 1440, left: int = 1440, start: datetime = START) -> Any:
    return events.ReminderDue(
        **about(creator),
        date=start,
        minutes_before=before,
        minutes_left=left,
        person_ids=tuple(person.pk for person in people),
    )
