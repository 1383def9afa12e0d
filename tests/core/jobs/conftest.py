"""A sweep for tests, and a clock that stands still."""

from collections.abc import Callable, Iterator
from datetime import time

import pytest

from core.jobs.periodic import DAY, MINUTE, PERIODIC_JOBS, Schedule, run_if_due

NAME = "count the lanterns"


class Lanterns:
    """Counts its turns, or fails where it was told to."""

    def __init__(self) -> None:
        self.turns = 0
        self.fails_with: Exception | None = None

    def sweep(self) -> int:
        self.turns += 1
        if self.fails_with is not None:
            raise self.fails_with
        return 7

    def run_if_due(self) -> int:
        """Whether it was its turn, as how many turns it has had so far."""
        run_if_due(NAME, self.sweep)
        return self.turns


@pytest.fixture
def only() -> Iterator[Callable[..., None]]:
    """Makes these the only periodic jobs that are declared."""
    declared = dict(PERIODIC_JOBS)

    def declare(**schedules: Schedule) -> None:
        PERIODIC_JOBS.clear()
        PERIODIC_JOBS.update({name.replace("_", " "): schedule for name, schedule in schedules.items()})

    yield declare
    # In their order, which is that of pages.
    PERIODIC_JOBS.clear()
    PERIODIC_JOBS.update(declared)


@pytest.fixture
def lanterns(only: Callable[..., None]) -> Lanterns:
    """A sweep of each minute, the only one."""
    only(count_the_lanterns=Schedule(every=MINUTE))
    return Lanterns()


@pytest.fixture
def nightly(only: Callable[..., None]) -> Lanterns:
    """A sweep of each night, the only one."""
    only(count_the_lanterns=Schedule(every=DAY, at=time(3, 17)))
    return Lanterns()
