"""Schedules of periodic jobs: one worker runs a job in each interval, and failed runs are retried."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.core.conftest import NOW
from tests.core.jobs.conftest import NAME, FakeJob
from tests.threads import run_in_threads

from core.jobs.models import Sweep
from core.jobs.periodic import PERIODIC_JOBS, claim_interval, get_last_claim, periodic_job
from core.time.clock import now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))


class Killed(BaseException):
    """Ends a worker before it can record anything."""


# --- Intervals ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_of_many_workers_does_the_first_run(job: FakeJob) -> None:
    run_in_threads(8, job.run_if_due)

    assert job.runs == 1
    assert Sweep.objects.get().name == NAME


@pytest.mark.django_db(transaction=True)
def test_one_of_many_workers_does_each_later_run(job: FakeJob, clock: Any) -> None:
    for run in range(1, 4):
        run_in_threads(8, job.run_if_due)
        assert job.runs == run
        clock.shift(MINUTE)


def test_a_successful_run_is_recorded(job: FakeJob) -> None:
    job.run_if_due()

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


def test_a_job_is_due_a_quarter_of_its_interval_early(job: FakeJob, clock: Any) -> None:
    """The clocks of workers differ."""
    job.run_if_due()

    clock.shift(45 * SECOND - timedelta.resolution)
    assert job.run_if_due() == 1
    clock.shift(timedelta.resolution)
    assert job.run_if_due() == 2


def test_a_job_that_is_not_due_takes_two_queries(job: FakeJob) -> None:
    job.run_if_due()

    with CaptureQueriesContext(connection) as queries:
        job.run_if_due()

    assert len(queries) == 2


def test_a_job_runs_again_after_its_worker_was_killed(job: FakeJob, clock: Any) -> None:
    job.fails_with = Killed()  # type: ignore[assignment]
    with pytest.raises(Killed):
        job.run_if_due()
    job.fails_with = None

    assert job.run_if_due() == 1
    clock.shift(MINUTE)
    assert job.run_if_due() == 2
    assert Sweep.objects.get().finished_at == NOW + MINUTE


@pytest.mark.parametrize("back", [2 * MINUTE, HOUR, 400 * DAY])
def test_a_job_is_due_after_the_clock_was_set_back(job: FakeJob, clock: Any, back: timedelta) -> None:
    job.run_if_due()

    clock.shift(-back)

    assert job.run_if_due() == 2
    assert Sweep.objects.get().started_at == NOW - back


def test_a_job_is_due_after_the_clock_was_set_back_by_one_interval(job: FakeJob, clock: Any) -> None:
    job.run_if_due()

    clock.shift(-MINUTE)
    assert job.run_if_due() == 1
    clock.shift(2 * MINUTE)
    assert job.run_if_due() == 2


# --- Time of day --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first_run", "later_runs"),
    [
        ("2024-01-12T03:17:00Z", ["2024-01-13T03:17:00Z", "2024-01-14T03:17:00Z"]),
        # The worker was down at the due time and catches up.
        ("2024-01-12T03:16:59Z", ["2024-01-12T03:17:00Z", "2024-01-13T03:17:00Z"]),
        ("2024-01-10T12:00:00Z", ["2024-01-12T20:00:00Z", "2024-01-13T03:17:00Z"]),
        ("2024-01-12T19:59:59Z", ["2024-01-13T03:17:00Z", "2024-01-14T03:17:00Z"]),
    ],
)
def test_a_daily_job_runs_at_its_time_or_as_soon_as_a_worker_is_up(
    nightly_job: FakeJob, clock: Any, first_run: str, later_runs: list[str]
) -> None:
    clock.move_to(first_run, tick=False)
    assert nightly_job.run_if_due() == 1

    for number, run in enumerate(later_runs, start=2):
        at = datetime.fromisoformat(run)
        if run != "2024-01-12T20:00:00Z":
            clock.move_to(at - SECOND, tick=False)
            assert nightly_job.run_if_due() == number - 1
        clock.move_to(at, tick=False)
        assert nightly_job.run_if_due() == number
        assert nightly_job.run_if_due() == number


def test_a_daily_job_that_never_ran_is_due_at_once(nightly_job: FakeJob) -> None:
    assert nightly_job.run_if_due() == 1


@pytest.mark.parametrize("error", [ValueError("the oil is gone"), Killed()])
@pytest.mark.parametrize("has_succeeded_before", [True, False])
@pytest.mark.usefixtures("unlogged")
def test_a_daily_job_that_failed_or_was_killed_is_retried_an_hour_later(
    *, nightly_job: FakeJob, clock: Any, error: Any, has_succeeded_before: bool
) -> None:
    if has_succeeded_before:
        clock.move_to("2024-01-11T04:00:00Z", tick=False)
        nightly_job.run_if_due()
    before = nightly_job.runs
    nightly_job.fails_with = error
    for attempt in range(2):
        clock.move_to(datetime(2024, 1, 12, 3 + attempt, 17, tzinfo=UTC), tick=False)
        with nullcontext() if isinstance(error, Exception) else pytest.raises(Killed):
            nightly_job.run_if_due()
        clock.shift(HOUR - SECOND)
        assert nightly_job.run_if_due() == before + attempt + 1
    nightly_job.fails_with = None

    clock.shift(SECOND)
    assert nightly_job.run_if_due() == before + 3
    clock.move_to("2024-01-13T03:16:59Z", tick=False)
    assert nightly_job.run_if_due() == before + 3
    clock.shift(SECOND)
    assert nightly_job.run_if_due() == before + 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("unlogged")
def test_one_of_many_workers_retries_a_failed_job(nightly_job: FakeJob, clock: Any) -> None:
    nightly_job.fails_with = ValueError("the oil is gone")
    nightly_job.run_if_due()
    clock.shift(HOUR)

    run_in_threads(8, nightly_job.run_if_due)

    assert nightly_job.runs == 2


# --- Failures -----------------------------------------------------------------------------------------------------


def test_a_failure_is_recorded_and_not_raised(job: FakeJob, clock: Any, caplog: pytest.LogCaptureFixture) -> None:
    job.run_if_due()
    clock.shift(MINUTE)
    job.fails_with = ValueError("the oil is gone\x00")

    job.run_if_due()

    row = Sweep.objects.get()
    assert (row.started_at, row.finished_at, row.taken_up) == (NOW + MINUTE, NOW, 7)
    assert row.failed_at == NOW + MINUTE
    assert row.error.startswith("Traceback")
    assert row.error.strip().endswith("ValueError: the oil is gone\\x00")
    assert "The worker could not count the lanterns" in caplog.text


@pytest.mark.usefixtures("unlogged")
def test_a_job_that_failed_is_due_after_its_interval(job: FakeJob, clock: Any) -> None:
    job.fails_with = ValueError("the oil is gone")
    job.run_if_due()
    job.fails_with = None

    assert job.run_if_due() == 1
    clock.shift(MINUTE)
    assert job.run_if_due() == 2
    assert Sweep.objects.get().finished_at == NOW + MINUTE


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("unlogged")
def test_a_broken_connection_is_recorded_through_a_new_one(job: FakeJob) -> None:
    def break_connection() -> int:
        connection.ensure_connection()
        connection.connection.close()
        return Sweep.objects.count()

    job.run = break_connection  # type: ignore[method-assign]
    job.run_if_due()

    row = Sweep.objects.get()
    assert (row.finished_at, row.failed_at) == (None, NOW)


def test_two_periodic_jobs_cannot_have_the_same_name() -> None:
    taken = next(iter(PERIODIC_JOBS)).replace(" ", "_")

    def another() -> int:
        return 0

    another.__name__ = taken
    with pytest.raises(RuntimeError, match="Two periodic jobs"):
        periodic_job()(another)


# --- Interval claims ----------------------------------------------------------------------------------------------


def test_an_interval_can_be_claimed_once(clock: Any) -> None:
    assert get_last_claim("letter") is None
    assert claim_interval("letter", every=HOUR, now=now())
    assert not claim_interval("letter", every=HOUR, now=now())

    clock.shift(HOUR - SECOND)
    assert not claim_interval("letter", every=HOUR, now=now())
    clock.shift(SECOND)
    assert claim_interval("letter", every=HOUR, now=now())
    assert get_last_claim("letter") == NOW + HOUR


def test_a_claim_is_not_retried_like_a_failed_run(clock: Any) -> None:
    """A claim records no end, like a run that was killed."""
    assert claim_interval("letter", every=DAY, now=now())

    clock.shift(DAY - SECOND)

    assert not claim_interval("letter", every=DAY, now=now())


@pytest.mark.django_db(transaction=True)
def test_one_of_many_workers_claims_an_interval(clock: Any) -> None:
    for _ in range(2):
        assert sorted(run_in_threads(8, lambda: claim_interval("letter", every=HOUR, now=now()))) == [False] * 7 + [
            True
        ]
        clock.shift(HOUR)
