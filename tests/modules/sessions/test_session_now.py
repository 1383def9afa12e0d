"""The answer to `SessionNowAsked`, for mails about a session."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from tests.conftest import Api
from tests.modules.sessions.conftest import NOW, STATES, path

from core.facts.models import FactRecord
from core.time.icalendar import CalendarEvent
from modules.notifications.events import SessionNow, SessionNowAsked
from modules.sessions.models import Session


def now_of(session: Any, person: Any) -> SessionNow:
    identifier = session if isinstance(session, int) else session.pk
    found = SessionNowAsked(session_id=identifier, person_id=person.pk).ask()
    assert found is not None
    return found


def stored_uid(session: Any) -> str:
    return str(Session.objects.get(pk=session.pk).calendar_uid)


def test_the_state_of_a_session_for_a_participant(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane], calendar_sequence=4)

    assert now_of(session, jane) == SessionNow(
        title="Advanced Python Programming",
        starts_at=session.date,
        ends_at=session.date + timedelta(minutes=90),
        status="scheduled",
        event=CalendarEvent(
            uid=stored_uid(session),
            sequence=4,
            starts_at=session.date,
            ends_at=session.date + timedelta(minutes=90),
            summary="Advanced Python Programming",
            description="Learn advanced Python concepts",
            url=f"{settings.FRONTEND_URL}/sessions/{session.pk}",
            organizer="John Doe",
            changed_at=NOW - timedelta(days=8),
        ),
        is_attended=True,
        is_visible=True,
    )
    assert now_of(session, john) == now_of(session, jane)


def test_requesters_and_strangers_have_no_calendar_event(bob: Any, mallory: Any, make_session: Any) -> None:
    session = make_session("approved", requests={bob: "pending"})

    for person in (bob, mallory):
        found = now_of(session, person)
        assert (found.title, found.status) == ("Advanced Python Programming", "approved")
        assert found.event is None
        assert not found.is_attended


def test_the_creator_of_an_unapproved_session_has_no_calendar_event(john: Any, make_session: Any) -> None:
    found = now_of(make_session("pending_approval"), john)

    assert (found.status, found.event, found.is_attended) == ("waiting for approval", None, True)


def test_a_rejected_session_has_no_calendar_event(john: Any, alice: Any, make_session: Any) -> None:
    session = make_session("pending_approval")
    Api(alice).post(path(session, "cancel/"), {"reason": "Too little is said."})

    found = now_of(session, john)
    assert (found.status, found.event, found.is_attended) == ("cancelled", None, False)


@pytest.mark.parametrize("state", [state for state in STATES if state != "pending_approval"])
def test_only_cancelled_and_expired_sessions_are_cancelled_in_calendars(
    john: Any, jane: Any, make_session: Any, state: str
) -> None:
    session = make_session(state, participants=[jane])
    takes_place = state not in {"cancelled", "expired"}

    for person in (john, jane):
        found = now_of(session, person)
        assert found.event is not None
        assert found.is_attended is takes_place
        assert found.event.is_cancelled is not takes_place
        assert not found.event.is_tentative


@pytest.mark.parametrize("how", ["leave", "removal"])
def test_former_participants_keep_an_event_for_its_cancellation(
    john: Any, jane: Any, make_session: Any, how: str
) -> None:
    session = make_session("approved", requests={jane: "pending"})
    Api(john).post(path(session, "approve_request/"), {"user_id": jane.pk})
    before = now_of(session, jane)
    if how == "leave":
        Api(jane).post(path(session, "leave/"))
    else:
        Api(john).delete(path(session, f"participants/{jane.pk}/"))

    after = now_of(session, jane)
    assert before.is_attended
    assert not after.is_attended
    assert before.event is not None
    assert after.event is not None
    assert (after.event.uid, after.event.is_cancelled) == (before.event.uid, False)
    assert after.event.sequence > before.event.sequence
    assert now_of(session, john).is_attended


def test_participation_in_another_session_does_not_count(john: Any, jane: Any, make_session: Any) -> None:
    other = make_session("approved", requests={jane: "pending"})
    Api(john).post(path(other, "approve_request/"), {"user_id": jane.pk})

    assert now_of(make_session("approved"), jane).event is None


def test_a_deleted_session_is_described_from_its_fact(
    john: Any, jane: Any, bob: Any, make_session: Any, clock: Any
) -> None:
    session = make_session("approved", requests={jane: "pending", bob: "pending"})
    Api(john).post(path(session, "approve_request/"), {"user_id": jane.pk})
    Api(jane).post(path(session, "leave/"))
    before = now_of(session, john)
    assert before.event is not None
    clock.shift(timedelta(hours=1))
    identifier, uid = session.pk, stored_uid(session)
    Api(john).delete(path(session))

    found = now_of(identifier, john)
    assert found == SessionNow(
        title="Advanced Python Programming",
        starts_at=session.date,
        ends_at=session.date + timedelta(minutes=90),
        status="deleted",
        event=CalendarEvent(
            uid=uid,
            sequence=before.event.sequence + 1,
            starts_at=session.date,
            ends_at=session.date + timedelta(minutes=90),
            summary="Advanced Python Programming",
            description="Learn advanced Python concepts",
            url=f"{settings.FRONTEND_URL}/sessions/{identifier}",
            organizer="John Doe",
            changed_at=NOW + timedelta(hours=1),
            is_cancelled=True,
        ),
        is_attended=False,
        is_visible=True,
    )
    assert now_of(identifier, jane) == found
    of_requester = now_of(identifier, bob)
    assert (of_requester.status, of_requester.event, of_requester.is_attended) == ("deleted", None, False)


def test_a_session_deleted_before_its_approval_has_no_calendar_event(john: Any, make_session: Any) -> None:
    session = make_session("pending_approval")
    identifier = session.pk
    Api(john).delete(path(session))

    found = now_of(identifier, john)
    assert (found.status, found.event, found.is_attended) == ("deleted", None, False)


def test_an_old_record_of_a_deletion_is_not_described(john: Any, make_session: Any) -> None:
    session = make_session("approved")
    identifier = session.pk
    Api(john).delete(path(session))
    record = FactRecord.objects.get(name="sessions.SessionDeleted")
    record.payload = {name: record.payload[name] for name in ("session_id", "title", "creator_id", "requester_ids")}
    record.save()

    assert SessionNowAsked(session_id=identifier, person_id=john.pk).ask() is None


def test_an_unknown_session_is_not_described(john: Any) -> None:
    assert SessionNowAsked(session_id=4711, person_id=john.pk).ask() is None


def test_the_event_of_a_hidden_session_has_no_texts(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("approved", requests={jane: "pending"})
    Api(john).post(path(session, "approve_request/"), {"user_id": jane.pk})
    assert now_of(session, jane).is_visible is True
    Session.objects.filter(pk=session.pk).update(hidden_at=NOW, visible_title=session.title)
    assert now_of(session, jane).is_visible is True

    Api(john).delete(path(session, f"participants/{jane.pk}/"))
    Api(john).put(path(session), {"description": "A secret."})

    now = now_of(session, jane)
    assert (now.is_visible, now.is_attended) == (False, False)
    assert now.event is not None
    assert (now.event.description, now.event.url) == ("", "")
    assert now_of(session, john).is_visible is True
