"""Answer who belongs to a session, and what a member sees of it now."""

from dataclasses import replace

from core.facts import answers
from core.facts.delivery import load_fact
from core.facts.models import FactRecord
from modules.notifications.events import People, PeopleOfSession, SessionNow, SessionNowAsked
from modules.sessions import events
from modules.sessions.calendars import (
    build_calendar_event,
    build_deleted_calendar_event,
    is_creator_or_participant,
    was_ever_participant,
)
from modules.sessions.models import Session
from modules.sessions.queries.sessions import can_see
from modules.sessions.services.life_cycle import list_participant_ids
from modules.sessions.states import NOT_TAKING_PLACE, Status


@answers(PeopleOfSession)
def list_people(question: PeopleOfSession) -> People | None:
    session = Session.objects.filter(pk=question.session_id).first()
    if session is None:
        return None
    return People(
        title=session.public_title,
        creator_id=session.creator_id,
        participant_ids=list_participant_ids(session),
        is_hidden=session.hidden_at is not None,
    )


@answers(SessionNowAsked)
def describe_session(question: SessionNowAsked) -> SessionNow | None:
    session = Session.objects.select_related("creator").filter(pk=question.session_id).first()
    if session is None:
        return _describe_deleted_session(question)
    belongs = is_creator_or_participant(session, question.person_id)
    was_in_calendar = (belongs and session.approved_at is not None) or was_ever_participant(
        session.pk, question.person_id
    )
    is_visible = can_see(session, question.person_id)
    entry = build_calendar_event(session) if was_in_calendar else None
    if entry and not is_visible:
        entry = replace(entry, url="")
    return SessionNow(
        title=session.public_title,
        starts_at=session.date,
        ends_at=session.ends_at,
        status=str(Status(session.status).label),
        event=entry,
        is_attended=belongs and session.status not in NOT_TAKING_PLACE,
        is_visible=is_visible,
    )


def _describe_deleted_session(question: SessionNowAsked) -> SessionNow | None:
    """Describe a deleted session, if the recorded fact of its deletion has all fields."""
    deletions = FactRecord.objects.filter(name=events.SessionDeleted.name, session_id=question.session_id)
    record = deletions.order_by("-pk").first()
    if record is None:
        return None
    fact = load_fact(record)
    if not isinstance(fact, events.SessionDeleted) or fact.date is None or fact.ends_at is None:
        return None
    was_in_calendar = (fact.creator_id == question.person_id and fact.ever_approved) or was_ever_participant(
        fact.session_id, question.person_id
    )
    entry = build_deleted_calendar_event(fact, starts_at=fact.date, ends_at=fact.ends_at, deleted_at=record.occurred_at)
    return SessionNow(
        title=fact.title,
        starts_at=fact.date,
        ends_at=fact.ends_at,
        status="deleted",
        event=entry if was_in_calendar else None,
        is_attended=False,
        is_visible=True,
    )
