"""The cascade of a deactivation in batches, on retries, and by the worker."""

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.sessions.conftest import (
    FINAL,
    NOW,
    MakeSession,
    body_of,
    failing_to_save,
    nothing_changes,
    path,
)
from tests.modules.sessions.deactivation.conftest import TOLD, Deactivate, records, requests_of, status_of

from core.accounts import deactivation
from core.accounts.events import MemberDeactivated
from core.accounts.models import User
from core.database.locking import lock_batch
from core.facts.delivery import load_fact
from core.facts.models import FactRecord
from core.jobs import batches
from modules.sessions.models import BookingRequest
from modules.sessions.services.deactivation import IMMEDIATE_LIMIT, cascade_all_deactivations, cascade_deactivation


def test_the_first_sessions_are_cancelled_at_once_and_the_rest_by_the_worker(
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


def test_a_session_that_fails_does_not_block_others_and_is_retried(
    john: User, make_session: MakeSession, deactivate: Deactivate, unlogged: None
) -> None:
    first, second = (make_session("approved") for _ in range(2))

    with failing_to_save(first):
        deactivate(john)
    assert (status_of(first), status_of(second)) == ("approved", "cancelled")
    cascade_all_deactivations()

    assert status_of(first) == "cancelled"
    assert len(records("SessionCancelled")) == 2


def test_a_repeated_delivery_changes_nothing(john: User, make_session: MakeSession, deactivate: Deactivate) -> None:
    make_session("scheduled")
    deactivate(john)

    with nothing_changes():
        cascade_deactivation(member_id=john.pk)


def test_a_late_delivery_skips_a_reactivated_member(john: User, alice: User, make_session: MakeSession) -> None:
    session = make_session("scheduled")
    # Nothing follows this commit: the process has died.
    deactivation.deactivate_member(member_id=john.pk, by=alice, reason="Spam")
    deactivation.reactivate_member(member_id=john.pk, by=alice)

    cascade_deactivation(member_id=john.pk)
    cascade_all_deactivations()

    assert status_of(session) == "scheduled"


def test_a_member_reactivated_during_the_cascade_keeps_what_is_left(
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


def test_the_worker_continues_the_cascade_of_a_killed_process(
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


def test_sessions_offered_during_the_deactivation_are_cancelled_by_the_worker(
    john: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    deactivate(john)
    session = make_session("pending_approval")

    assert cascade_all_deactivations() == 1

    assert status_of(session) == "cancelled"


def test_the_last_deactivation_is_the_cause(
    john: User, root: User, make_session: MakeSession, deactivate: Deactivate
) -> None:
    deactivate(john, reason="Spam")
    deactivation.reactivate_member(member_id=john.pk, by=root)
    make_session("approved")

    deactivate(john, by=root, reason="Spam again")

    (record,) = records("SessionCancelled")
    assert record.actor == root


def test_the_cascade_applies_to_members_deactivated_without_a_fact(
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


def test_a_deactivation_before_a_reactivation_is_not_the_cause(
    john: User, alice: User, make_session: MakeSession
) -> None:
    deactivation.deactivate_member(member_id=john.pk, by=alice, reason="Spam")
    deactivation.reactivate_member(member_id=john.pk, by=alice)
    make_session("approved")
    User.objects.filter(pk=john.pk).update(is_active=False)

    assert cascade_all_deactivations() == 1

    assert [record.actor for record in records("SessionCancelled")] == [None]


def test_the_cascade_continues_after_a_long_downtime(
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


def test_nothing_to_do_takes_two_queries(
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


def test_a_reactivation_restores_nothing(
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
