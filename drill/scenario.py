"""How much of everything: the full drill, and the short one that the tests run."""

from dataclasses import dataclass, replace

MINUTE = 60


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """`seconds` are real ones, in which workers are killed; all that is in minutes goes by the product's clock."""

    seconds: int
    sessions: int
    members: int
    workers: int
    rate: float
    seed: int
    # Minutes before the start at which people are reminded.
    offsets: tuple[int, ...]
    # The earliest start, in minutes; the latest is `last_start`.
    first_start: float
    kill_every: float
    # How many of a hundred receivers of a fact fail the first time, and are served again.
    failing_receivers: int
    # When the mail server is away, in real seconds from the beginning.
    outages: tuple[tuple[float, float], ...]
    # How long all that is due may take once nobody is killed any more, in real seconds.
    settle_seconds: int

    @property
    def last_start(self) -> float:
        """A little after the kills have stopped."""
        return self.seconds * self.rate / MINUTE + 1

    @property
    def mail_timeout(self) -> int:
        """For the mail server's answer, in real seconds: less than half the time for which a sender holds a mail, since
        it may have to come twice."""
        return max(1, min(10, int(10 * MINUTE / self.rate * 0.4)))


def full(*, seconds: int = 150, seed: int = 1) -> Scenario:
    return Scenario(
        seconds=seconds,
        sessions=300,
        members=40,
        workers=3,
        # An hour passes and a little, after which moderators may be told again.
        rate=25,
        seed=seed,
        offsets=(15, 5),
        first_start=6,
        kill_every=1,
        failing_receivers=3,
        outages=_outages(seconds, every=24, length=7),
        settle_seconds=300,
    )


def short(*, seconds: int = 12, seed: int = 1) -> Scenario:
    return replace(
        full(seconds=seconds, seed=seed),
        sessions=60,
        members=12,
        rate=60,
        # Far apart: a loaded machine may be late by some seconds, which are minutes here.
        offsets=(12, 6),
        first_start=6.5,
        outages=_outages(seconds, every=5, length=2),
        settle_seconds=120,
    )


def _outages(seconds: float, *, every: float, length: float) -> tuple[tuple[float, float], ...]:
    """It comes back before the kills stop."""
    count = int((seconds - 1) // every)
    return tuple((each * every + every - length, each * every + every) for each in range(max(count, 1)))
