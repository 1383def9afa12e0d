"""Concurrent changes of one session, also by several workers."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from tests.conftest import Api
from tests.system.last_seat.conftest import ROUNDS, run_all, statuses

from core.accounts.models import User
from core.facts.models import FactRecord
from core.time import clock
from modules.sessions.models import BookingRequest, Reminder, Session
from modules.sessions.services.life_cycle import advance_due_sessions
from modules.sessions.services.reminders import remind_due_sessions

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_a_cancellation_during_bookings_leaves_no_pending_requests(make_race: Any, make_clients: Any) -> None:
    for _ in ROUNDS:
        race, members = make_race(), make_clients(15)
        for member in members[:10]:
            race.join(member)

        cancelled, *others = run_all(
            [
                partial(race.cancel, race.creator),
                *(partial(race.approve, race.creator, member) for member in members[:10]),
                *(partial(race.join, member) for member in members[10:]),
            ]
        )

        assert statuses([cancelled]) == [200]
        assert set(statuses(others)) <= {200, 201, 400}
        session = race.check()
        assert session.status == "cancelled"
        assert session.participant_count == statuses(others).count(200)
        assert not BookingRequest.objects.filter(session=session, status="pending").exists()
        assert len(race.facts("SessionCancelled")) == 1


def test_concurrent_cancellations_cancel_once(make_race: Any, make_clients: Any) -> None:
    race, [member] = make_race(), make_clients(1)
    race.let_in(member)

    answers = run_all([partial(race.cancel, by) for by in [race.creator, race.moderator] * 8])

    assert sorted(statuses(answers)) == [200] + [400] * 15
    race.check()
    assert len(race.facts("SessionCancelled")) == 1


def test_concurrent_approvals_and_rejections_decide_once(make_race: Any) -> None:
    for _ in ROUNDS:
        race = make_race(approved=False)
        approve = partial(race.moderator.put, race.path, {"status": "approved"})
        reject = partial(race.moderator.put, race.path, {"status": "cancelled", "reason": "No"})

        answers = run_all([approve, reject] * 8)

        assert set(statuses(answers)) <= {200, 400}
        race.check()
        # Rejected at once, or approved and then cancelled; never both decided.
        assert race.facts()[1:] in (["SessionRejected"], ["SessionApproved", "SessionCancelled"])


def test_a_session_that_is_deleted_while_many_join_leaves_no_rows(make_race: Any, make_clients: Any) -> None:
    for _ in ROUNDS:
        race, members = make_race(), make_clients(15)

        deleted, *joined = run_all(
            [
                partial(race.creator.delete, race.path),
                *(partial(race.join, member) for member in members),
            ]
        )

        assert statuses([deleted]) == [204]
        assert set(statuses(joined)) <= {201, 404}
        assert not Session.objects.filter(pk=race.id).exists()
        assert not BookingRequest.objects.filter(session_id=race.id).exists()
        told = FactRecord.objects.get(session_id=race.id, name="sessions.SessionDeleted")
        assert len(told.payload["requester_ids"]) == statuses(joined).count(201)
        assert FactRecord.objects.filter(session_id=race.id).latest("pk") == told


def test_concurrent_workers_make_each_transition_and_reminder_once(
    make_race: Any, make_clients: Any, time_machine: Any
) -> None:
    seats, [member, waiting] = [make_race() for _ in range(3)], make_clients(2)
    for race in seats[:2]:
        race.join(waiting)
        race.let_in(member)
    start = Session.objects.get(pk=seats[0].id).date

    time_machine.move_to(start - timedelta(hours=1), tick=False)
    run_all([remind_due_sessions] * 16)
    assert Reminder.objects.count() == 5
    for race in seats:
        assert len(race.facts("ReminderDue")) == 1

    time_machine.move_to(start + timedelta(seconds=1), tick=False)
    run_all([advance_due_sessions] * 16)
    advance_due_sessions()
    assert [race.check().status for race in seats] == ["ongoing", "ongoing", "expired"]
    for race in seats:
        assert len(race.facts("SessionStarted", "SessionExpired")) == 1


def test_a_worker_and_a_creator_start_a_session_once(
    make_race: Any, make_clients: Any, time_machine: Any, john: User
) -> None:
    for _ in ROUNDS:
        race, [member, waiting] = make_race(), make_clients(2)
        race.join(waiting)
        race.let_in(member)
        now = clock.now()
        time_machine.move_to(Session.objects.get(pk=race.id).date + timedelta(seconds=1), tick=False)
        creator = Api(john)

        run_all([partial(creator.post, f"{race.path}start/"), advance_due_sessions] * 8)
        advance_due_sessions()

        assert race.check().status == "ongoing"
        assert len(race.facts("SessionStarted")) == 1
        time_machine.move_to(now, tick=False)
