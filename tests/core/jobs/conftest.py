"""A sweep for tests, and a clock that stands still."""

from collections.abc import Callable
from datetime import time

import pytest

from core.jobs.periodic import DAY, MINUTE, SWEEPS, Rhythm, take_turn

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

    def take_turn(self) -> int:
        """Whether it was its turn, as how many turns it has had so far."""
        take_turn(NAME, self.sweep)
        return self.turns


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes these the only sweeps that are declared."""

    def declare(**rhythms: Rhythm) -> None:
        for name in list(SWEEPS):
            monkeypatch.delitem(SWEEPS, name)
        for name, rhythm in rhythms.items():
            monkeypatch.setitem(SWEEPS, name.replace("_", " "), rhythm)

    return declare


@pytest.fixture
def lanterns(only: Callable[..., None]) -> Lanterns:
    """A sweep of each minute, the only one."""
    only(count_the_lanterns=Rhythm(every=MINUTE))
    return Lanterns()


@pytest.fixture
def nightly(only: Callable[..., None]) -> Lanterns:
    """A sweep of each night, the only one."""
    only(count_the_lanterns=Rhythm(every=DAY, at=time(3, 17)))
    return Lanterns()
