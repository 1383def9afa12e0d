"""A sweep for tests, and a clock that stands still."""

from collections.abc import Callable
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
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes these the only sweeps that are declared."""

    def declare(**rhythms: Schedule) -> None:
        for name in list(PERIODIC_JOBS):
            monkeypatch.delitem(PERIODIC_JOBS, name)
        for name, rhythm in rhythms.items():
            monkeypatch.setitem(PERIODIC_JOBS, name.replace("_", " "), rhythm)

    return declare


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
