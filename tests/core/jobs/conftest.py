"""A fake periodic job."""

from collections.abc import Callable, Iterator
from datetime import time

import pytest

from core.jobs.periodic import DAY, MINUTE, PERIODIC_JOBS, Schedule, run_if_due

NAME = "count the lanterns"


class FakeJob:
    """Counts its runs, and raises `fails_with`, if set."""

    def __init__(self) -> None:
        self.runs = 0
        self.fails_with: Exception | None = None

    def run(self) -> int:
        self.runs += 1
        if self.fails_with is not None:
            raise self.fails_with
        return 7

    def run_if_due(self) -> int:
        """Run the job if it is due; return how often it has run."""
        run_if_due(NAME, self.run)
        return self.runs


@pytest.fixture
def declare_jobs() -> Iterator[Callable[..., None]]:
    """Replaces all periodic jobs until the end of the test."""
    original = dict(PERIODIC_JOBS)

    def replace(**schedules: Schedule) -> None:
        PERIODIC_JOBS.clear()
        PERIODIC_JOBS.update({name.replace("_", " "): schedule for name, schedule in schedules.items()})

    yield replace
    # In the original order, which pages show.
    PERIODIC_JOBS.clear()
    PERIODIC_JOBS.update(original)


@pytest.fixture
def job(declare_jobs: Callable[..., None]) -> FakeJob:
    """The only periodic job, with an interval of a minute."""
    declare_jobs(count_the_lanterns=Schedule(every=MINUTE))
    return FakeJob()


@pytest.fixture
def nightly_job(declare_jobs: Callable[..., None]) -> FakeJob:
    """The only periodic job, at 03:17."""
    declare_jobs(count_the_lanterns=Schedule(every=DAY, at=time(3, 17)))
    return FakeJob()
