"""What becomes of the sessions, requests and places of a member who is deactivated."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from tests.conftest import Api
from tests.core.threads import together
from tests.modules.sessions.conftest import (
    FINAL,
    NOW,
    MakeSession,
    body_of,
    facts,
    failing_to_save,
    nothing_changes,
    path,
)

from core.accounts import deactivation
from core.accounts.events import ConsequencesAsked, MemberDeactivated
from core.accounts.models import User
from core.database.locking import lock_batch
from core.errors import DomainError
from core.facts.delivery import load_fact
from core.facts.models import FactRecord
from core.jobs import batches
from modules.sessions.models import BookingRequest, Session
from modules.sessions.services.deactivation import IMMEDIATE_LIMIT, cascade_all_deactivations, cascade_deactivation
from modules.sessions.services.leases import take_lease

OPEN_STATES = ["pending_approval", "approved", "scheduled", "ongoing"]
TOLD = "The account of its creator was deactivated."

Deactivate = Callable[..., None]


@pytest.fixture
def deactivate(alice: User, django_capture_on_commit_callbacks: Any) -> Deactivate:
    """Alice does it, unless told otherwise, and what follows the commit follows."""

    def act(member: User, *, by: User = alice, reason: str = "Spam", told: str = "") -> None:
        with django_capture_on_commit_callbacks(execute=True):
            deactivation.deactivate_member(member_id=member.pk, by=by, reason=reason, told=told)

    return act


def status_of(session: Session) -> str:
    return Session.objects.get(pk=session.pk).status


def requests_of(member: User) -> dict[str, str]:
    """The state of each of their requests, by the title of the session."""
    return dict(BookingRequest.objects.filter(user=member).values_list("session__title", "status"))


def records(name: str) -> list[FactRecord]:
    return list(FactRecord.objects.filter(name=f"sessions.{name}").order_by("pk"))


# --- What they offer --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", OPEN_STATES)
def test_what_is_not_over_is_cancelled_by_who_did_it_and_others_never_read_the_reason(
    john: User, alice: User, make_session: MakeSession, deactivate: Deactivate, status: str
) -> None:
    session = make_session(status)

    deactivate(john, reason="Spam")

    assert status_of(session) == "cancelled"
    (record,) = FactRecord.objects.filter(session_id=session.pk)
    assert (record.name, record.actor, record.reason) == ("sessions.SessionCancelled", alice, TOLD)
    assert record.changes == {"status": [status, "cancelled"]}


@pytest.mark.parametrize("status", FINAL)
def test_what_is_over_stays_as_it_is(
    john: User, make_session: MakeSession, deactivate: Deactivate, status: str
) -> None:
    session = make_session(status)

    deactivate(john)

    assert status_of(session) == status
    assert facts(session) == []


def test_others_read_what_is_said_to_them_in_place_of_the_reason(
    john: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    make_session("scheduled")

    deactivate(john, reason="Threatened two members", told="John has left us.")

    assert [record.reason for record in records("SessionCancelled")] == ["John has left us."]


def test_one_that_waits_is_cancelled_and_not_rejected_since_nobody_has_judged_it(
    john: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    session = make_session("pending_approval")

    deactivate(john)

    assert facts(session) == ["SessionCancelled"]
    session.refresh_from_db()
    assert (session.decided_by, session.decided_at, session.approved_at) == (None, None, None)


def test_who_may_deactivate_needs_no_right_to_moderate_for_that(
    john: User, make_member: Any, make_session: MakeSession, deactivate: Deactivate
) -> None:
    keeper = make_member("keeper")
    keeper.user_permissions.add(Permission.objects.get(codename="deactivate_user"))
    sessions = [make_session(status) for status in OPEN_STATES]

    deactivate(john, by=keeper)

    assert {status_of(session) for session in sessions} == {"cancelled"}
    assert {record.actor for record in records("SessionCancelled")} == {keeper}


def test_the_record_names_who_was_to_come_and_their_requests_are_closed(
    john: User, jane: User, bob: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    make_session("scheduled", participants=[jane], requests={bob: "pending"})

    deactivate(john)

    (record,) = records("SessionCancelled")
    assert (record.payload["participant_ids"], record.payload["requester_ids"]) == ([jane.pk], [bob.pk])
    assert set(requests_of(jane).values()) == {"approved"}
    assert set(requests_of(bob).values()) == {"rejected"}


def test_one_that_another_moderator_has_in_hand_is_cancelled_too(
    john: User, victor: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    session = make_session("pending_approval")
    take_lease(session_id=session.pk, by=victor)

    deactivate(john)

    assert status_of(session) == "cancelled"


@pytest.mark.parametrize(
    ("status", "hours", "becomes", "fact"),
    [
        ("pending_approval", 5 * 24, "expired", "SessionExpired"),
        ("approved", 5 * 24, "expired", "SessionExpired"),
        ("ongoing", 2, "completed", "SessionCompleted"),
    ],
)
def test_where_the_clock_was_first_a_session_is_not_cancelled(
    john: User, make_session: MakeSession, deactivate: Deactivate, clock: Any, status: str, hours: int, becomes: str,
    fact: str,
) -> None:  # fmt: skip
    session = make_session(status)
    clock.shift(timedelta(hours=hours))

    deactivate(john)

    assert status_of(session) == becomes
    assert facts(session) == [fact]


def test_the_sessions_of_others_stay(
    john: User, jane: User, bob: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    session = make_session("scheduled", creator=jane, participants=[bob], requests={john: "rejected"})

    deactivate(john)

    assert status_of(session) == "scheduled"
    assert facts() == ["accounts.MemberDeactivated"]
    assert set(requests_of(john).values()) == {"rejected"}


# --- What they asked for, and where they are in -----------------------------------------------------------------


def test_an_undecided_request_of_theirs_is_withdrawn(
    john: User, jane: User, alice: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    session = make_session("approved", creator=jane, requests={john: "pending"})

    deactivate(john, reason="Spam")

    assert requests_of(john) == {}
    (record,) = records("BookingRequestWithdrawn")
    assert (record.session_id, record.member_id, record.actor) == (session.pk, john.pk, alice)
    assert record.reason == "The account was deactivated."


def test_their_place_is_free_again(
    john: User, jane: User, bob: User, alice: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    session = make_session("scheduled", creator=jane, participants=[john, bob], max_participants=2)

    deactivate(john, reason="Spam", told=TOLD)

    session.refresh_from_db()
    assert (session.status, session.participant_count) == ("scheduled", 1)
    assert session.calendar_sequence == 1
    (record,) = records("SeatLeft")
    assert (record.member_id, record.actor, record.reason) == (john.pk, alice, "The account was deactivated.")
    assert Api(alice).post(path(session, "join/")).status_code == 201


@pytest.mark.parametrize("status", ["ongoing", "completed", "cancelled", "expired"])
def test_where_a_session_has_begun_or_is_over_they_stay_in(
    john: User, jane: User, make_session: MakeSession, deactivate: Deactivate, status: str
) -> None:
    make_session(status, creator=jane, participants=[john])

    deactivate(john)

    assert set(requests_of(john).values()) == {"approved"}
    assert facts() == ["accounts.MemberDeactivated"]


def test_a_session_that_has_begun_by_the_clock_keeps_them(
    john: User, jane: User, make_session: MakeSession, deactivate: Deactivate, clock: Any
) -> None:
    session = make_session("scheduled", creator=jane, participants=[john])
    clock.move_to(session.date, tick=False)

    deactivate(john)
    cascade_all_deactivations()

    assert set(requests_of(john).values()) == {"approved"}
    assert "SeatLeft" not in facts()


# --- Many, late and twice ---------------------------------------------------------------------------------------


def test_of_many_the_first_are_cancelled_at_once_and_the_rest_by_the_worker(
    john: User, jane: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    sessions = [
        make_session("approved", date=NOW + timedelta(days=number + 1), title=f"Session {number}")
        for number in reversed(range(IMMEDIATE_LIMIT + 3))
    ]
    places = [make_session("scheduled", creator=jane, participants=[john]) for _ in range(IMMEDIATE_LIMIT + 2)]

    deactivate(john)

    left = [session.title for session in sessions if status_of(session) == "approved"]
    assert left == [f"Session {number}" for number in reversed(range(IMMEDIATE_LIMIT, IMMEDIATE_LIMIT + 3))]
    assert BookingRequest.objects.filter(user=john).count() == 2
    assert cascade_all_deactivations() == 3 + 2
    assert {status_of(session) for session in sessions} == {"cancelled"}
    assert {status_of(session) for session in places} == {"scheduled"}
    assert requests_of(john) == {}
    assert len(records("SessionCancelled")) == len(sessions)
    assert cascade_all_deactivations() == 0


def test_one_that_cannot_be_cancelled_keeps_no_other_and_is_tried_again(
    john: User, make_session: MakeSession, deactivate: Deactivate, unlogged: None
) -> None:
    first, second = (make_session("approved") for _ in range(2))

    with failing_to_save(first):
        deactivate(john)
    assert (status_of(first), status_of(second)) == ("approved", "cancelled")
    cascade_all_deactivations()

    assert status_of(first) == "cancelled"
    assert len(records("SessionCancelled")) == 2


def test_a_fact_that_is_served_again_changes_nothing(
    john: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    make_session("scheduled")
    deactivate(john)

    with nothing_changes():
        cascade_deactivation(member_id=john.pk)


def test_served_late_it_leaves_one_alone_who_is_active_again(
    john: User, alice: User, make_session: MakeSession
) -> None:
    session = make_session("scheduled")
    # Nothing follows this commit: the process has died.
    deactivation.deactivate_member(member_id=john.pk, by=alice, reason="Spam")
    deactivation.reactivate_member(member_id=john.pk, by=alice)

    cascade_deactivation(member_id=john.pk)
    cascade_all_deactivations()

    assert status_of(session) == "scheduled"


def test_one_who_is_let_in_again_while_it_is_under_way_keeps_what_is_left(
    john: User, alice: User, make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_session("scheduled")
    deactivation.deactivate_member(member_id=john.pk, by=alice, reason="Spam")

    def locked(*args: Any, **values: Any) -> list[Any]:
        rows: list[Any] = lock_batch(*args, **values)
        if rows:
            deactivation.reactivate_member(member_id=john.pk, by=alice)
        return rows

    monkeypatch.setattr(batches, "lock_batch", locked)
    cascade_deactivation(member_id=john.pk)

    assert status_of(session) == "scheduled"
    assert records("SessionCancelled") == []


def test_what_a_process_that_died_has_left_the_worker_ends(
    john: User, jane: User, alice: User, make_session: MakeSession
) -> None:
    session = make_session("scheduled")
    make_session("scheduled", creator=jane, participants=[john])
    deactivation.deactivate_member(member_id=john.pk, by=alice, reason="Spam", told=TOLD)

    assert cascade_all_deactivations() == 2

    assert status_of(session) == "cancelled"
    (record,) = records("SessionCancelled")
    assert (record.actor, record.reason) == (alice, TOLD)
    assert len(records("SeatLeft")) == 1


def test_what_was_offered_while_it_happened_is_cancelled_by_the_worker(
    john: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    deactivate(john)
    session = make_session("pending_approval")

    assert cascade_all_deactivations() == 1

    assert status_of(session) == "cancelled"


def test_the_last_deactivation_counts(
    john: User, root: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    deactivate(john, reason="Spam")
    deactivation.reactivate_member(member_id=john.pk, by=root)
    make_session("approved")

    deactivate(john, by=root, reason="Spam again")

    (record,) = records("SessionCancelled")
    assert record.actor == root


def test_the_clock_ends_what_one_has_who_was_set_inactive_past_the_record(
    john: User, jane: User, make_session: MakeSession
) -> None:
    session = make_session("approved")
    make_session("scheduled", creator=jane, participants=[john])
    User.objects.filter(pk=john.pk).update(is_active=False)

    assert cascade_all_deactivations() == 2

    assert status_of(session) == "cancelled"
    assert requests_of(john) == {}
    assert [(record.actor, record.reason) for record in records("SessionCancelled")] == [(None, TOLD)]
    assert [record.actor for record in records("SeatLeft")] == [None]


def test_who_deactivated_one_before_the_last_reactivation_has_no_part_in_it(
    john: User, alice: User, make_session: MakeSession
) -> None:
    deactivation.deactivate_member(member_id=john.pk, by=alice, reason="Spam")
    deactivation.reactivate_member(member_id=john.pk, by=alice)
    make_session("approved")
    User.objects.filter(pk=john.pk).update(is_active=False)

    assert cascade_all_deactivations() == 1

    assert [record.actor for record in records("SessionCancelled")] == [None]


def test_however_long_the_worker_was_down_it_ends_what_is_left(
    john: User, jane: User, alice: User, make_session: MakeSession, clock: Any
) -> None:
    sessions = [
        make_session("approved", date=NOW + timedelta(days=90)),
        make_session("scheduled", creator=jane, participants=[john], date=NOW + timedelta(days=90)),
    ]
    deactivation.deactivate_member(member_id=john.pk, by=alice, reason="Spam")
    clock.shift(timedelta(days=31))

    assert cascade_all_deactivations() == 2

    assert [status_of(session) for session in sessions] == ["cancelled", "scheduled"]
    assert [record.actor for record in records("SessionCancelled")] == [alice]
    assert requests_of(john) == {}


def test_where_nobody_has_anything_left_two_queries_find_that_out(
    john: User, jane: User, make_session: MakeSession, deactivate: Deactivate, django_assert_num_queries: Any
) -> None:
    for status in FINAL:
        make_session(status)
        make_session(status, creator=jane, participants=[john])
    make_session("scheduled", creator=jane, requests={john: "rejected"})
    make_session("ongoing", creator=jane, participants=[john])
    deactivate(john)

    with django_assert_num_queries(2):
        assert cascade_all_deactivations() == 0


def test_a_reactivation_brings_nothing_back_but_lets_them_begin_anew(
    john: User, jane: User, alice: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    own = make_session("approved")
    attended = make_session("scheduled", creator=jane, participants=[john])
    deactivate(john)

    deactivation.reactivate_member(member_id=john.pk, by=alice)
    cascade_all_deactivations()

    john.refresh_from_db()
    assert status_of(own) == "cancelled"
    assert requests_of(john) == {}
    assert Api(john).post("/api/sessions/", body_of()).status_code == 201
    assert Api(john).post(path(attended, "join/")).status_code == 201


# --- Beforehand -------------------------------------------------------------------------------------------------


def numbers(member: User, by: User) -> dict[str, int]:
    (answer,) = ConsequencesAsked(member_id=member.pk, by_id=by.pk).ask_all()
    return {each.key: each.count for each in answer}


def words(member: User, by: User) -> list[str]:
    (answer,) = ConsequencesAsked(member_id=member.pk, by_id=by.pk).ask_all()
    return [each.words for each in answer]


def test_what_would_come_of_it_is_known_beforehand(
    john: User, jane: User, bob: User, alice: User, mallory: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    make_session("pending_approval")
    make_session("approved", requests={jane: "pending", mallory: "rejected"})
    make_session("scheduled", participants=[jane, bob], requests={alice: "pending"})
    make_session("ongoing", participants=[bob])
    make_session("completed", participants=[mallory])
    make_session("approved", creator=jane, requests={john: "pending"})
    for _ in range(2):
        make_session("scheduled", creator=bob, participants=[john])
    make_session("ongoing", creator=jane, participants=[john])

    assert numbers(john, alice) == {"sessions": 4, "people": 2, "requests": 1, "places": 2}
    assert words(john, alice) == [
        "4 sessions of theirs are cancelled",
        "2 members who are in, or asked to join, are told",
        "1 request of theirs to join is withdrawn",
        "2 places of theirs are free again, and the creators are told",
    ]
    deactivate(john)

    assert numbers(john, alice) == {}
    assert len(records("SessionCancelled")) == 4
    told = {
        person
        for record in records("SessionCancelled")
        for person in record.payload["participant_ids"] + record.payload["requester_ids"]
    }
    assert told - {alice.pk} == {jane.pk, bob.pk}
    assert len(records("BookingRequestWithdrawn")) == 1
    assert len(records("SeatLeft")) == 2


def test_who_has_nothing_loses_nothing(john: User, alice: User, make_session: MakeSession) -> None:
    make_session("completed")
    make_session("expired", creator=alice, requests={john: "rejected"})

    assert numbers(john, alice) == {}


@pytest.mark.parametrize(("status", "becomes"), [("approved", "expired"), ("ongoing", "completed")])
def test_what_the_clock_ends_is_not_counted(
    john: User, alice: User, make_session: MakeSession, clock: Any, status: str, becomes: str
) -> None:
    session = make_session(status)
    clock.move_to(session.ends_at, tick=False)

    assert numbers(john, alice) == {}


def test_one_that_the_clock_starts_is_counted(john: User, alice: User, make_session: MakeSession, clock: Any) -> None:
    session = make_session("scheduled")
    clock.move_to(session.date, tick=False)

    assert numbers(john, alice)["sessions"] == 1


def test_as_many_queries_for_many_sessions_as_for_one(
    john: User, jane: User, bob: User, alice: User, make_session: MakeSession, django_assert_num_queries: Any
) -> None:
    for _ in range(2):
        make_session("scheduled", participants=[jane, bob])
        make_session("scheduled", creator=jane, participants=[john])
        with django_assert_num_queries(4):
            numbers(john, alice)


# --- At once ----------------------------------------------------------------------------------------------------


def outcome(change: Callable[..., object], *args: Any, **values: Any) -> Callable[[], Any]:
    def work() -> Any:
        try:
            return change(*args, **values)
        except DomainError as error:
            return type(error).__name__

    return work


@pytest.mark.django_db(transaction=True)
def test_a_session_that_its_creator_cancels_at_the_same_time_is_cancelled_once(
    john: User, alice: User, make_session: MakeSession
) -> None:
    session = make_session("scheduled")
    api = Api(john)

    together(
        outcome(deactivation.deactivate_member, member_id=john.pk, by=alice, reason="Spam"),
        outcome(api.post, path(session, "cancel/"), {"reason": "My oven has broken down."}),
    )
    cascade_all_deactivations()

    assert status_of(session) == "cancelled"
    assert facts(session) == ["SessionCancelled"]


@pytest.mark.django_db(transaction=True)
def test_who_is_let_in_at_the_same_time_keeps_no_place(
    john: User, jane: User, alice: User, make_session: MakeSession
) -> None:
    session = make_session("approved", creator=jane, requests={john: "pending"})
    janes = Api(jane)

    together(
        outcome(deactivation.deactivate_member, member_id=john.pk, by=alice, reason="Spam"),
        outcome(janes.post, path(session, "approve_request/"), {"user_id": john.pk}),
    )
    cascade_all_deactivations()

    session.refresh_from_db()
    assert session.participant_count == 0
    assert not BookingRequest.objects.filter(user=john).exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_are_in_each_other_s_sessions_can_be_deactivated_at_once(
    john: User, jane: User, alice: User, root: User, make_session: MakeSession
) -> None:
    for creator, other in ((john, jane), (jane, john)):
        for _ in range(5):
            make_session("scheduled", creator=creator, participants=[other])

    results = together(
        outcome(deactivation.deactivate_member, member_id=john.pk, by=alice, reason="Spam"),
        outcome(deactivation.deactivate_member, member_id=jane.pk, by=root, reason="Spam"),
        outcome(cascade_all_deactivations),
    )
    cascade_all_deactivations()

    assert not any(isinstance(result, Exception) for result in results), results
    assert set(Session.objects.values_list("status", flat=True)) == {"cancelled"}
    assert len(records("SessionCancelled")) == 10


def test_old_records_of_a_deactivation_can_be_read(john: User, alice: User, make_session: MakeSession) -> None:
    session = make_session("approved")
    deactivation.deactivate_member(member_id=john.pk, by=alice, reason="Spam")
    record = FactRecord.objects.get()
    FactRecord.objects.update(payload={"member_id": john.pk})
    record.refresh_from_db()

    assert load_fact(record) == MemberDeactivated(member_id=john.pk, told="")
    assert cascade_all_deactivations() == 1

    assert status_of(session) == "cancelled"
    assert [(record.actor, record.reason) for record in records("SessionCancelled")] == [(alice, TOLD)]
