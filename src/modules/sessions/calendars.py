"""Sessions as calendar events, and in whose calendar they are (docs/contract.md, "Calendars")."""

from datetime import datetime

from core.accounts.models import User
from core.facts.models import FactRecord
from core.http.frontend import build_session_url
from core.time.icalendar import CalendarEvent
from modules.sessions import events
from modules.sessions.models import BookingRequest, Session
from modules.sessions.states import NOT_TAKING_PLACE, Status


def build_calendar_event(session: Session) -> CalendarEvent:
    """Build the calendar event of a session, with its public texts. The session's creator has to be loaded."""
    return CalendarEvent(
        uid=str(session.calendar_uid),
        sequence=session.calendar_sequence,
        starts_at=session.date,
        ends_at=session.ends_at,
        summary=session.public_title,
        description=session.public_description,
        url=build_session_url(session.pk),
        organizer=session.creator.display_name,
        changed_at=session.updated_at,
        is_cancelled=session.status in NOT_TAKING_PLACE,
        is_tentative=session.status == Status.PENDING_APPROVAL,
    )


def build_deleted_calendar_event(
    fact: events.SessionDeleted, *, starts_at: datetime, ends_at: datetime, deleted_at: datetime
) -> CalendarEvent:
    """Build the cancelled event of a deleted session, from the fact of its deletion."""
    return CalendarEvent(
        uid=fact.calendar_uid,
        sequence=fact.calendar_sequence,
        starts_at=starts_at,
        ends_at=ends_at,
        summary=fact.title,
        description=fact.description,
        url=build_session_url(fact.session_id),
        organizer=User.objects.get(pk=fact.creator_id).display_name,
        changed_at=deleted_at,
        is_cancelled=True,
    )


def is_creator_or_participant(session: Session, person_id: int) -> bool:
    """Return whether a member is the creator or a participant of a session now."""
    if session.creator_id == person_id:
        return True
    requests = BookingRequest.objects.filter(session=session, user=person_id)
    return requests.filter(status=BookingRequest.Status.APPROVED).exists()


def was_ever_participant(session_id: int, person_id: int) -> bool:
    """Return whether a member was ever approved for a session, by the record of facts."""
    return FactRecord.objects.filter(
        name=events.BookingRequestApproved.name, session_id=session_id, member_id=person_id
    ).exists()
