"""Concurrent changes of one booking request."""

from functools import partial
from typing import Any

import pytest
from tests.system.last_seat.conftest import ROUNDS, run_all, statuses

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_one_member_who_joins_sixteen_times_concurrently_has_one_request(make_race: Any, make_clients: Any) -> None:
    race, [member] = make_race(), make_clients(1)

    answers = run_all([partial(race.join, member)] * 16)

    assert sorted(statuses(answers)) == [201] + [400] * 15
    race.check()
    assert race.facts("BookingRequested") == ["BookingRequested"]


def test_one_request_that_is_approved_sixteen_times_takes_one_seat(make_race: Any, make_clients: Any) -> None:
    race, [member] = make_race(2), make_clients(1)
    race.join(member)

    answers = run_all([partial(race.approve, by, member) for by in [race.creator, race.moderator] * 8])

    assert statuses(answers) == [200] * 16
    assert race.check().participant_count == 1
    assert race.facts("BookingRequestApproved", "SessionScheduled") == ["BookingRequestApproved", "SessionScheduled"]


def test_a_request_that_is_approved_and_rejected_concurrently_ends_as_its_last_fact_says(
    make_race: Any, make_clients: Any
) -> None:
    for _ in ROUNDS:
        race, [member] = make_race(2), make_clients(1)
        race.join(member)

        answers = run_all(
            [partial(race.approve, race.creator, member), partial(race.reject, race.moderator, member)] * 8
        )

        approvals, rejections = statuses(answers[::2]), statuses(answers[1::2])
        # An approval holds before and after a rejection; a rejection before an approval alone.
        assert approvals == [200] * 8
        assert set(rejections) <= {200, 400}
        assert race.check().participant_count == 1
        assert len(race.facts("BookingRequestApproved")) == 1
        assert len(race.facts("BookingRequestRejected")) <= 1


def test_a_request_that_is_withdrawn_during_its_approval_takes_no_seat(make_race: Any, make_clients: Any) -> None:
    for _ in ROUNDS:
        race, [member] = make_race(2), make_clients(1)
        race.join(member)

        answers = run_all([partial(race.leave, member), partial(race.approve, race.creator, member)] * 8)

        left, approved = statuses(answers[::2]), statuses(answers[1::2])
        assert left.count(200) == 1
        assert set(left) <= {200, 400}
        assert set(approved) <= {200, 404}
        assert race.check().participant_count == 0


def test_a_participant_who_is_removed_and_leaves_concurrently_goes_once(make_race: Any, make_clients: Any) -> None:
    for _ in ROUNDS:
        race, [member] = make_race(2), make_clients(1)
        race.let_in(member)

        answers = run_all([partial(race.remove, race.creator, member), partial(race.leave, member)] * 8)

        gone = statuses(answers)
        assert gone.count(204) + gone.count(200) == 1
        assert set(gone) <= {200, 204, 400, 404}
        assert race.check().participant_count == 0
        assert len(race.facts("SeatLeft", "ParticipantRemoved")) == 1
