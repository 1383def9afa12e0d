"""Concurrent approvals, departures and removals never overbook a session."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from tests.conftest import Api
from tests.system.last_seat.conftest import ROUNDS, run_all, statuses

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_twenty_concurrent_approvals_take_no_more_than_the_seats(make_race: Any, make_clients: Any) -> None:
    race, members = make_race(5), make_clients(20)
    for member in members:
        race.join(member)

    answers = run_all(
        [
            partial(race.approve, by, member)
            for member, by in zip(members, [race.creator, race.moderator] * 10, strict=True)
        ]
    )

    assert sorted(statuses(answers)) == [200] * 5 + [400] * 15
    session = race.check()
    assert (session.participant_count, session.status) == (5, "scheduled")
    assert race.facts("BookingRequestApproved") == ["BookingRequestApproved"] * 5
    assert race.facts("SessionScheduled") == ["SessionScheduled"]


def test_twenty_who_join_and_are_approved_concurrently_take_no_more_than_the_seats(
    make_race: Any, make_clients: Any
) -> None:
    race, members = make_race(3), make_clients(20)

    def go_for_it(member: Api) -> list[Any]:
        return [race.join(member), race.approve(race.creator, member)]

    answers = run_all([partial(go_for_it, member) for member in members])

    joined = statuses([joined for joined, _ in answers])
    approved = statuses([approved for _, approved in answers])
    assert set(joined) <= {201, 400}
    assert sorted(approved)[:3] == [200] * 3
    assert approved.count(200) == 3
    # Who came when it was full made no request: there was nothing to approve.
    assert approved.count(404) == joined.count(400)
    assert race.check().participant_count == 3


@pytest.mark.parametrize("round_", ROUNDS)
def test_lowering_the_seats_during_approvals_never_overbooks(make_race: Any, make_clients: Any, round_: int) -> None:
    race, members = make_race(10), make_clients(16)
    race.let_in(members[0])
    for member in members[1:]:
        race.join(member)

    calls: list[Callable[[], Any]] = [partial(race.approve, race.creator, member) for member in members[1:]]
    sizes = [8, 6, 4, 2, 3, 5]
    for position, size in enumerate(sizes):
        calls.insert((position + round_) * 2, partial(race.resize, size))
    answers = run_all(calls)

    assert set(statuses(answers)) <= {200, 400}
    session = race.check()
    approved = [answer for answer in answers if answer.status_code == 200 and "user" in answer.json()]
    assert session.participant_count == 1 + len(approved)


def test_a_seat_that_is_left_is_taken_once(make_race: Any, make_clients: Any) -> None:
    for _ in ROUNDS:
        race, (first, second, *waiting) = make_race(2), make_clients(16)
        for member in waiting:
            race.join(member)
        race.let_in(first, second)

        left, *approved = run_all(
            [
                partial(race.leave, first),
                *(partial(race.approve, race.creator, member) for member in waiting),
            ]
        )

        assert statuses([left]) == [200]
        assert statuses(approved).count(200) <= 1
        assert race.check().participant_count == 1 + statuses(approved).count(200)
