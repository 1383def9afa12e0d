"""What the sessions answer when other modules ask."""

from datetime import timedelta
from typing import Any

import pytest
from tests.modules.sessions.conftest import MakeSession

from core import clock
from core.accounts.models import User
from core.facts.delivery import fact_of
from core.facts.models import FactRecord
from modules.materials.events import MaterialRemoved, SessionAccessAsked
from modules.notifications.events import People, PeopleOfSession, StillHolds
from modules.sessions.models import BookingRequest, Session
from modules.sessions.services import booking, offering, running
from modules.sessions.services.reminders import remind_due_sessions
from modules.sessions.wall_clock import SentDate


def holds(name: str, person: User) -> bool:
    """Whether the first fact of that name would still be told, if it were served late."""
    record = FactRecord.objects.filter(name=f"sessions.{name}").earliest("pk")
    return StillHolds(fact=fact_of(record), person_id=person.pk).ask()


def test_the_people_of_a_session_are_its_creator_and_its_participants(
    make_session: MakeSession, john: User, jane: User, bob: User
) -> None:
    session = make_session("scheduled", participants=[jane], requests={bob: "pending"})
    assert PeopleOfSession(session_id=session.pk).ask() == People(
        title=session.title, creator_id=john.pk, participant_ids=(jane.pk,)
    )


def test_a_session_that_is_not_there_has_no_people(db: None) -> None:
    assert PeopleOfSession(session_id=1).ask() is None


def test_a_fact_of_another_module_is_not_ours_to_judge(make_session: MakeSession, jane: User) -> None:
    fact = MaterialRemoved(material_id=1, session_id=make_session().pk, title="Slides")
    answers = StillHolds(fact=fact, person_id=jane.pk).ask_all()
    assert True not in answers


def test_a_request_holds_until_it_is_decided_or_made_again(
    make_session: MakeSession, john: User, bob: User, clock: Any
) -> None:
    session = make_session("approved")
    booking.request_booking(session_id=session.pk, message="", by=bob)
    assert holds("BookingRequested", john)
    booking.reject_request(session_id=session.pk, requester_id=bob.pk, by=john)
    assert not holds("BookingRequested", john)
    clock.shift(timedelta(minutes=1))
    booking.request_booking(session_id=session.pk, message="again", by=bob)
    assert not holds("BookingRequested", john)


def test_a_decision_holds_while_it_stands(make_session: MakeSession, john: User, bob: User) -> None:
    session = make_session("approved", requests={bob: "pending"})
    booking.reject_request(session_id=session.pk, requester_id=bob.pk, by=john)
    assert holds("BookingRequestRejected", bob)
    booking.approve_request(session_id=session.pk, requester_id=bob.pk, by=john)
    assert not holds("BookingRequestRejected", bob)
    assert holds("BookingRequestApproved", bob)
    booking.leave_session(session_id=session.pk, by=bob)
    assert not holds("BookingRequestApproved", bob)
    assert holds("SeatLeft", john)


def test_a_new_start_holds_for_those_whom_it_still_concerns(
    make_session: MakeSession, john: User, jane: User, bob: User
) -> None:
    session = make_session("scheduled", participants=[jane], requests={bob: "pending"})
    move(session, days=9, by=john)
    assert [holds("SessionRescheduled", person) for person in (john, jane, bob)] == [True, True, True]
    booking.leave_session(session_id=session.pk, by=jane)
    assert not holds("SessionRescheduled", jane)
    move(session, days=10, by=john)
    assert not holds("SessionRescheduled", bob)


@pytest.mark.parametrize("event", ["cancelled", "moved", "left", "started"])
def test_a_reminder_holds_until_it_has_become_pointless(
    event: str, make_session: MakeSession, john: User, jane: User, bob: User, clock: Any
) -> None:
    session = make_session("scheduled", participants=[jane, bob])
    clock.move_to(session.date - timedelta(hours=24))
    remind_due_sessions()
    assert holds("ReminderDue", jane)
    match event:
        case "cancelled":
            running.cancel_session(session_id=session.pk, by=john, reason="")
        case "moved":
            move(session, days=20, by=john)
        case "left":
            booking.leave_session(session_id=session.pk, by=jane)
        case "started":
            clock.move_to(session.date)
    assert not holds("ReminderDue", jane)
    assert holds("ReminderDue", bob) is (event == "left")


def test_a_session_that_is_gone_has_no_news_but_that(make_session: MakeSession, john: User, bob: User) -> None:
    session = make_session("approved")
    booking.request_booking(session_id=session.pk, message="", by=bob)
    offering.delete_session(session_id=session.pk, by=john)
    assert not holds("BookingRequested", john)
    assert holds("SessionDeleted", bob)


@pytest.mark.parametrize(
    ("who", "reads", "writes", "manages"),
    [
        ("john", True, True, True),
        ("jane", True, False, False),
        ("bob", True, True, False),
        ("alice", True, False, True),
        ("mallory", False, False, False),
    ],
)
def test_who_may_do_what_with_materials(
    who: str,
    reads: bool,
    writes: bool,
    manages: bool,
    request: pytest.FixtureRequest,
    make_session: MakeSession,
    jane: User,
    bob: User,
) -> None:
    session = make_session("scheduled", participants=[jane, bob])
    BookingRequest.objects.filter(user=bob).update(role="tutor")
    access = SessionAccessAsked(session_id=session.pk, viewer=request.getfixturevalue(who)).ask()
    assert access is not None
    assert (access.reads, access.writes, access.manages) == (reads, writes, manages)


def test_who_may_not_know_of_a_session_is_told_nothing(make_session: MakeSession, mallory: User) -> None:
    session = make_session("pending_approval")
    assert SessionAccessAsked(session_id=session.pk, viewer=mallory).ask() is None


@pytest.mark.parametrize("state", ["cancelled", "expired"])
def test_nothing_is_added_to_what_did_not_happen(state: str, make_session: MakeSession, john: User) -> None:
    access = SessionAccessAsked(session_id=make_session(state).pk, viewer=john).ask()
    assert access is not None
    assert access.closed_because == f"Nothing can be added to a session that is {state}."


def test_a_completed_session_still_takes_recordings(make_session: MakeSession, john: User) -> None:
    access = SessionAccessAsked(session_id=make_session("completed").pk, viewer=john).ask()
    assert access is not None
    assert access.closed_because == ""


def move(session: Session, *, days: int, by: User) -> None:
    offering.edit_session(
        session_id=session.pk,
        values={},
        date=SentDate(value=(clock.now() + timedelta(days=days)).replace(microsecond=0)),
        status=None,
        reason="",
        by=by,
    )
