"""Whose turn it is: one worker's in each interval, however many there are and whatever becomes of them."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.core.conftest import NOW
from tests.core.jobs.conftest import NAME, Lanterns
from tests.core.threads import at_once

from core.jobs.models import Sweep
from core.jobs.periodic import PERIODIC_JOBS, claim_interval, get_last_claim, periodic_job
from core.time.clock import now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))


class Killed(BaseException):
    """What ends a worker without letting it note anything."""


# --- Each minute --------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_of_many_workers_gets_the_first_turn(lanterns: Lanterns) -> None:
    at_once(8, lanterns.run_if_due)

    assert lanterns.turns == 1
    assert Sweep.objects.get().name == NAME


@pytest.mark.django_db(transaction=True)
def test_one_of_many_workers_gets_each_later_turn(lanterns: Lanterns, clock: Any) -> None:
    for turn in range(1, 4):
        at_once(8, lanterns.run_if_due)
        assert lanterns.turns == turn
        clock.shift(MINUTE)


def test_what_a_good_turn_did_is_noted(lanterns: Lanterns) -> None:
    lanterns.run_if_due()

    row = Sweep.objects.values().get()
    assert row.pop("id")
    assert row == {
        "name": NAME,
        "every": MINUTE,
        "started_at": NOW,
        "finished_at": NOW,
        "taken_up": 7,
        "failed_at": None,
        "error": "",
    }


def test_the_turn_comes_back_after_its_interval_or_a_little_earlier(lanterns: Lanterns, clock: Any) -> None:
    """The clocks of two workers do not beat together: the one that comes a little early still gets its turn."""
    lanterns.run_if_due()

    clock.shift(45 * SECOND - timedelta.resolution)
    assert lanterns.run_if_due() == 1
    clock.shift(timedelta.resolution)
    assert lanterns.run_if_due() == 2


def test_a_turn_that_is_not_given_costs_two_queries(lanterns: Lanterns) -> None:
    lanterns.run_if_due()

    with CaptureQueriesContext(connection) as queries:
        lanterns.run_if_due()

    assert len(queries) == 2


def test_a_turn_is_not_lost_with_the_worker_that_was_killed_in_it(lanterns: Lanterns, clock: Any) -> None:
    lanterns.fails_with = Killed()  # type: ignore[assignment]
    with pytest.raises(Killed):
        lanterns.run_if_due()
    lanterns.fails_with = None

    assert lanterns.run_if_due() == 1
    clock.shift(MINUTE)
    assert lanterns.run_if_due() == 2
    assert Sweep.objects.get().finished_at == NOW + MINUTE


@pytest.mark.parametrize("back", [2 * MINUTE, HOUR, 400 * DAY])
def test_a_clock_that_is_put_back_stops_nothing(lanterns: Lanterns, clock: Any, back: timedelta) -> None:
    lanterns.run_if_due()

    clock.shift(-back)

    assert lanterns.run_if_due() == 2
    assert Sweep.objects.get().started_at == NOW - back


def test_nor_one_that_is_put_back_by_less_than_the_interval(lanterns: Lanterns, clock: Any) -> None:
    lanterns.run_if_due()

    clock.shift(-MINUTE)
    assert lanterns.run_if_due() == 1
    clock.shift(2 * MINUTE)
    assert lanterns.run_if_due() == 2


# --- Once a day ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begun", "turns"),
    [
        ("2024-01-12T03:17:00Z", ["2024-01-13T03:17:00Z", "2024-01-14T03:17:00Z"]),
        # It was down at the time, and begins as soon as it is back.
        ("2024-01-12T03:16:59Z", ["2024-01-12T03:17:00Z", "2024-01-13T03:17:00Z"]),
        ("2024-01-10T12:00:00Z", ["2024-01-12T20:00:00Z", "2024-01-13T03:17:00Z"]),
        ("2024-01-12T19:59:59Z", ["2024-01-13T03:17:00Z", "2024-01-14T03:17:00Z"]),
    ],
)
def test_a_nightly_sweep_runs_at_its_time_or_as_soon_as_somebody_is_there(
    nightly: Lanterns, clock: Any, begun: str, turns: list[str]
) -> None:
    clock.move_to(begun, tick=False)
    assert nightly.run_if_due() == 1

    for number, turn in enumerate(turns, start=2):
        at = datetime.fromisoformat(turn)
        if turn != "2024-01-12T20:00:00Z":
            clock.move_to(at - SECOND, tick=False)
            assert nightly.run_if_due() == number - 1
        clock.move_to(at, tick=False)
        assert nightly.run_if_due() == number
        assert nightly.run_if_due() == number


def test_a_nightly_sweep_that_never_ran_begins_at_once(nightly: Lanterns) -> None:
    assert nightly.run_if_due() == 1


@pytest.mark.parametrize("end", [ValueError("the oil is gone"), Killed()])
@pytest.mark.parametrize("ended_well_before", [True, False])
@pytest.mark.usefixtures("unlogged")
def test_a_nightly_sweep_that_did_not_end_well_is_begun_again_an_hour_later(
    *, nightly: Lanterns, clock: Any, end: Any, ended_well_before: bool
) -> None:
    if ended_well_before:
        clock.move_to("2024-01-11T04:00:00Z", tick=False)
        nightly.run_if_due()
    before = nightly.turns
    nightly.fails_with = end
    for turn in range(2):
        clock.move_to(datetime(2024, 1, 12, 3 + turn, 17, tzinfo=UTC), tick=False)
        with nullcontext() if isinstance(end, Exception) else pytest.raises(Killed):
            nightly.run_if_due()
        clock.shift(HOUR - SECOND)
        assert nightly.run_if_due() == before + turn + 1
    nightly.fails_with = None

    clock.shift(SECOND)
    assert nightly.run_if_due() == before + 3
    clock.move_to("2024-01-13T03:16:59Z", tick=False)
    assert nightly.run_if_due() == before + 3
    clock.shift(SECOND)
    assert nightly.run_if_due() == before + 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("unlogged")
def test_one_of_many_workers_begins_it_again(nightly: Lanterns, clock: Any) -> None:
    nightly.fails_with = ValueError("the oil is gone")
    nightly.run_if_due()
    clock.shift(HOUR)

    at_once(8, nightly.run_if_due)

    assert nightly.turns == 2


# --- Failing ------------------------------------------------------------------------------------------------------


def test_a_sweep_that_fails_is_noted_and_raises_nothing(
    lanterns: Lanterns, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    lanterns.run_if_due()
    clock.shift(MINUTE)
    lanterns.fails_with = ValueError("the oil is gone\x00")

    lanterns.run_if_due()

    row = Sweep.objects.get()
    assert (row.started_at, row.finished_at, row.taken_up) == (NOW + MINUTE, NOW, 7)
    assert row.failed_at == NOW + MINUTE
    assert row.error.startswith("Traceback")
    assert row.error.strip().endswith("ValueError: the oil is gone\\x00")
    assert "The worker could not count the lanterns" in caplog.text


@pytest.mark.usefixtures("unlogged")
def test_one_that_failed_has_its_next_turn_as_ever(lanterns: Lanterns, clock: Any) -> None:
    lanterns.fails_with = ValueError("the oil is gone")
    lanterns.run_if_due()
    lanterns.fails_with = None

    assert lanterns.run_if_due() == 1
    clock.shift(MINUTE)
    assert lanterns.run_if_due() == 2
    assert Sweep.objects.get().finished_at == NOW + MINUTE


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("unlogged")
def test_one_whose_connection_breaks_is_noted_over_a_new_one(lanterns: Lanterns) -> None:
    def break_connection() -> int:
        connection.ensure_connection()
        connection.connection.close()
        return Sweep.objects.count()

    lanterns.sweep = break_connection  # type: ignore[method-assign]
    lanterns.run_if_due()

    row = Sweep.objects.get()
    assert (row.finished_at, row.failed_at) == (None, NOW)


def test_two_periodic_jobs_cannot_have_one_name() -> None:
    taken = next(iter(PERIODIC_JOBS)).replace(" ", "_")

    def another() -> int:
        return 0

    another.__name__ = taken
    with pytest.raises(RuntimeError, match="Two periodic jobs"):
        periodic_job()(another)


# --- Turns of something else --------------------------------------------------------------------------------------


def test_a_claimed_turn_is_given_once_an_interval(clock: Any) -> None:
    assert get_last_claim("letter") is None
    assert claim_interval("letter", every=HOUR, now=now())
    assert not claim_interval("letter", every=HOUR, now=now())

    clock.shift(HOUR - SECOND)
    assert not claim_interval("letter", every=HOUR, now=now())
    clock.shift(SECOND)
    assert claim_interval("letter", every=HOUR, now=now())
    assert get_last_claim("letter") == NOW + HOUR


def test_a_claimed_turn_is_over_with_the_claim(clock: Any) -> None:
    """Nobody notes how it ended, so it is not taken for one that did not end well."""
    assert claim_interval("letter", every=DAY, now=now())

    clock.shift(DAY - SECOND)

    assert not claim_interval("letter", every=DAY, now=now())


@pytest.mark.django_db(transaction=True)
def test_many_who_claim_a_turn_get_it_once(clock: Any) -> None:
    for _ in range(2):
        assert sorted(at_once(8, lambda: claim_interval("letter", every=HOUR, now=now()))) == [False] * 7 + [True]
        clock.shift(HOUR)
