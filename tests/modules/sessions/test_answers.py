"""Answers to the questions of materials and notifications."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from tests.conftest import Api
from tests.modules.sessions.conftest import NOW, STATES, path

from core.accounts.presentation import EmailAudience
from core.facts.delivery import load_fact
from core.facts.models import FactRecord
from modules.materials.events import MaterialAdded, SessionAccess, SessionAccessAsked
from modules.notifications.events import People, PeopleOfSession, StillHolds
from modules.sessions.events import SessionsWaiting, WaitingSession
from modules.sessions.models import BookingRequest
from modules.sessions.services.life_cycle import advance_due_sessions
from modules.sessions.services.reminders import remind_due_sessions


def access(session: Any, member: Any) -> SessionAccess | None:
    return SessionAccessAsked(session_id=session.pk, viewer=member).ask()


def still_holds(name: str, person: Any) -> bool:
    record = FactRecord.objects.filter(name=f"sessions.{name}").earliest("pk")
    return StillHolds(fact=load_fact(record), person_id=person.pk).ask()


# --- Access to materials ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "reads", "writes", "manages"),
    [
        ("creator", True, True, True),
        ("moderator", True, False, True),
        ("participant", True, False, False),
        ("tutor", True, True, False),
        ("requester", False, False, False),
        ("outsider", False, False, False),
    ],
)
def test_access_to_materials_by_role(
    *,
    john: Any,
    alice: Any,
    jane: Any,
    bob: Any,
    mallory: Any,
    make_member: Any,
    make_session: Any,
    who: str,
    reads: bool,
    writes: bool,
    manages: bool,
) -> None:
    rita = make_member("rita")
    people = {
        "creator": john,
        "moderator": alice,
        "participant": jane,
        "tutor": bob,
        "requester": rita,
        "outsider": mallory,
    }
    session = make_session("scheduled", participants=[jane, bob], requests={rita: "pending"})
    BookingRequest.objects.filter(user=bob).update(role="tutor")

    assert access(session, people[who]) == SessionAccess(
        can_read=reads,
        can_write=writes,
        can_manage=manages,
        can_moderate=who == "moderator",
        closed_reason="",
        audience=EmailAudience(
            viewer_id=people[who].pk,
            others=frozenset(
                {john.pk, jane.pk, bob.pk, rita.pk} if manages else {john.pk} if reads else set(),
            ),
        ),
    )


def test_nobody_moderates_the_materials_of_their_own_session_but_a_superuser(
    alice: Any, root: Any, make_session: Any
) -> None:
    for creator in (alice, root):
        found = access(make_session(creator=creator), creator)
        assert found is not None
        assert (found.can_manage, found.can_moderate) == (True, creator == root)


def test_there_is_no_access_to_invisible_sessions(mallory: Any, make_session: Any) -> None:
    assert access(make_session("pending_approval"), mallory) is None
    assert access(make_session("approved", hidden_at=NOW), mallory) is None


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_added_to_a_cancelled_or_expired_session(john: Any, make_session: Any, state: str) -> None:
    found = access(make_session(state), john)

    assert found is not None
    assert bool(found.closed_reason) is (state in {"cancelled", "expired"})


def test_nothing_is_added_to_a_session_that_is_due_to_expire(john: Any, make_session: Any, clock: Any) -> None:
    session = make_session("approved")
    clock.move_to(session.date, tick=False)

    with transaction.atomic():
        found = SessionAccessAsked(session_id=session.pk, viewer=john, lock_session=True).ask()

    assert found is not None
    assert found.closed_reason


# --- People -----------------------------------------------------------------------------------------------------


def test_people_of_a_session_are_its_creator_and_participants(
    john: Any, jane: Any, bob: Any, make_session: Any
) -> None:
    session = make_session("scheduled", participants=[jane], requests={bob: "pending"})

    assert PeopleOfSession(session_id=session.pk).ask() == People(
        title=session.title, creator_id=john.pk, participant_ids=(jane.pk,)
    )
    assert PeopleOfSession(session_id=4711).ask() is None


# --- What still holds, told late --------------------------------------------------------------------------------


def test_a_request_holds_while_it_is_pending(john: Any, bob: Any, make_session: Any, clock: Any) -> None:
    session = make_session("approved")
    Api(bob).post(path(session, "join/"))
    assert still_holds("BookingRequested", john)

    Api(john).post(path(session, "reject_request/"), {"user_id": bob.pk})
    assert not still_holds("BookingRequested", john)
    assert still_holds("BookingRequestRejected", bob)

    clock.shift(60)
    Api(bob).post(path(session, "join/"))
    # The second request is told by its own fact.
    assert not still_holds("BookingRequested", john)
    assert not still_holds("BookingRequestRejected", bob)


def test_an_approval_holds_while_the_seat_is_kept(john: Any, bob: Any, make_session: Any) -> None:
    session = make_session("approved", requests={bob: "pending"})
    Api(john).post(path(session, "approve_request/"), {"user_id": bob.pk})
    assert still_holds("BookingRequestApproved", bob)

    Api(bob).post(path(session, "leave/"))
    assert not still_holds("BookingRequestApproved", bob)
    assert still_holds("SeatLeft", john)


def test_a_rescheduling_holds_while_the_start_is_unchanged(john: Any, jane: Any, bob: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane])
    Api(john).put(path(session), {"date": "2024-02-01T12:00:00Z"})
    assert still_holds("SessionRescheduled", jane)
    assert not still_holds("SessionRescheduled", bob)

    Api(john).put(path(session), {"date": "2024-02-02T12:00:00Z"})
    assert not still_holds("SessionRescheduled", jane)


def test_a_reminder_holds_until_the_start(john: Any, jane: Any, make_session: Any, clock: Any) -> None:
    session = make_session("scheduled", participants=[jane])
    clock.move_to(session.date - timedelta(hours=1), tick=False)
    remind_due_sessions()
    assert still_holds("ReminderDue", jane)
    assert still_holds("ReminderDue", john)

    Api(jane).post(path(session, "leave/"))
    assert not still_holds("ReminderDue", jane)
    clock.move_to(session.date, tick=False)
    assert not still_holds("ReminderDue", john)


@pytest.mark.parametrize("how", ["cancelled", "expired"])
def test_cancellations_and_expiries_always_hold(john: Any, jane: Any, make_session: Any, clock: Any, how: str) -> None:
    session = make_session("approved")
    if how == "cancelled":
        Api(john).post(path(session, "cancel/"))
    else:
        clock.move_to(session.date, tick=False)
        advance_due_sessions()
    clock.shift(timedelta(days=30))

    assert still_holds("SessionCancelled" if how == "cancelled" else "SessionExpired", jane)


def test_only_the_deletion_of_a_deleted_session_holds(john: Any, bob: Any, make_session: Any) -> None:
    session = make_session("approved")
    Api(bob).post(path(session, "join/"))
    Api(john).delete(path(session))

    assert not still_holds("BookingRequested", john)
    assert still_holds("SessionDeleted", bob)


@pytest.mark.parametrize("event", ["cancelled", "moved"])
def test_a_reminder_of_a_cancelled_session_does_not_hold(
    john: Any, jane: Any, make_session: Any, clock: Any, event: str
) -> None:
    session = make_session("scheduled", participants=[jane])
    clock.move_to(session.date - timedelta(hours=1), tick=False)
    remind_due_sessions()
    if event == "cancelled":
        Api(john).post(path(session, "cancel/"))
    else:
        Api(john).put(path(session), {"date": "2024-03-01T12:00:00Z"})

    assert not still_holds("ReminderDue", jane)


def test_facts_of_other_modules_are_left_to_them(jane: Any, make_session: Any) -> None:
    fact = MaterialAdded(material_id=1, session_id=make_session().pk, title="Slides", uploader_id=jane.pk)

    assert True not in StillHolds(fact=fact, person_id=jane.pk).ask_all()


# --- What ended is worth telling whatever came after ------------------------------------------------------------


def test_rejections_and_removals_hold_after_a_deletion(john: Any, jane: Any, bob: Any, make_session: Any) -> None:
    session = make_session("scheduled", participants=[jane], requests={bob: "pending"})
    creator = Api(john)
    creator.post(path(session, "reject_request/"), {"user_id": bob.pk})
    creator.delete(path(session, f"participants/{jane.pk}/"))
    assert creator.delete(path(session)).status_code == 204

    assert still_holds("BookingRequestRejected", bob) is True
    assert still_holds("ParticipantRemoved", jane) is True
    assert still_holds("SessionDeleted", john) is True


def test_an_expiry_applied_by_a_deletion_holds(john: Any, jane: Any, make_session: Any, clock: Any) -> None:
    session = make_session("approved", requests={jane: "pending"})
    clock.move_to(session.date + timedelta(minutes=1), tick=False)
    Api(john).delete(path(session))

    assert still_holds("SessionExpired", jane) is True


def test_open_matters_do_not_hold_after_a_deletion(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("approved")
    Api(jane).post(path(session, "join/"))
    Api(john).put(path(session), {"date": "2024-02-01T10:00:00Z"})
    Api(john).delete(path(session))

    assert still_holds("BookingRequested", john) is False
    assert still_holds("SessionRescheduled", jane) is False


def test_an_approval_does_not_hold_after_a_cancellation(john: Any, jane: Any, make_session: Any) -> None:
    session = make_session("approved", requests={jane: "pending"})
    Api(john).post(path(session, "approve_request/"), {"user_id": jane.pk})
    assert still_holds("BookingRequestApproved", jane) is True

    Api(john).post(path(session, "cancel/"))

    assert still_holds("BookingRequestApproved", jane) is False


@pytest.mark.parametrize("state", ["pending_approval", "approved", "scheduled"])
def test_a_new_start_holds_while_the_session_starts_then(john: Any, alice: Any, make_session: Any, state: str) -> None:
    session = make_session(state)
    Api(alice).put(path(session), {"date": "2024-02-01T10:00:00Z"})
    assert still_holds("SessionRescheduled", john) is True

    Api(alice).put(path(session), {"date": "2024-02-01T11:00:00Z"})
    assert still_holds("SessionRescheduled", john) is False


def test_a_new_start_holds_after_the_session_has_started(john: Any, jane: Any, make_session: Any, clock: Any) -> None:
    session = make_session("scheduled", participants=[jane])
    start = (NOW + timedelta(minutes=2)).replace(microsecond=0)
    Api(john).put(path(session), {"date": start.isoformat()})
    clock.move_to(start + timedelta(seconds=10), tick=False)
    advance_due_sessions()

    assert still_holds("SessionRescheduled", jane) is True
    clock.shift(timedelta(hours=9))
    advance_due_sessions()
    assert still_holds("SessionRescheduled", jane) is False


def test_a_new_start_of_a_hidden_session_does_not_hold_for_requesters(
    john: Any, jane: Any, bob: Any, make_session: Any
) -> None:
    session = make_session("scheduled", participants=[jane], requests={bob: "pending"})
    Api(john).put(path(session), {"date": "2024-02-01T10:00:00Z"})
    type(session).objects.filter(pk=session.pk).update(hidden_at=NOW, visible_title=session.title)

    assert still_holds("SessionRescheduled", jane) is True
    assert still_holds("SessionRescheduled", bob) is False


# --- What waits for moderators ----------------------------------------------------------------------------------


def waiting(session: Any, *moderators: Any) -> SessionsWaiting:
    named = WaitingSession(
        session_id=session.pk, title=session.title, creator_id=session.creator_id, date=session.date, urgent=False
    )
    return SessionsWaiting(moderator_ids=tuple(moderator.pk for moderator in moderators), waiting=1, sessions=(named,))


def test_a_digest_holds_for_current_moderators(john: Any, alice: Any, make_session: Any) -> None:
    session = make_session("pending_approval")
    fact = waiting(session, alice)
    assert StillHolds(fact=fact, person_id=alice.pk).ask() is True

    alice.groups.clear()

    assert StillHolds(fact=fact, person_id=alice.pk).ask() is False
    assert StillHolds(fact=fact, person_id=10**9).ask() is False


def test_a_digest_does_not_hold_after_the_decision(alice: Any, make_session: Any) -> None:
    session = make_session("pending_approval")
    fact = waiting(session, alice)
    Api(alice).put(path(session), {"status": "approved"})

    assert StillHolds(fact=fact, person_id=alice.pk).ask() is False


def test_a_digest_does_not_hold_for_own_sessions(alice: Any, make_session: Any) -> None:
    session = make_session("pending_approval", creator=alice)

    assert StillHolds(fact=waiting(session, alice), person_id=alice.pk).ask() is False
