"""The parameters of a drill: the full one, and the short one that the tests run."""

from dataclasses import dataclass, replace

MINUTE = 60


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Workers are killed for `seconds` of real time; what is in minutes is in the product's time."""

    seconds: int
    sessions: int
    members: int
    workers: int
    rate: float
    seed: int
    # Of reminders, in minutes before a start.
    offsets: tuple[int, ...]
    # The earliest start, in minutes; the latest is `last_start`.
    first_start: float
    # In real seconds.
    kill_every: float
    # The percentage of deliveries that fail at first.
    failing_deliveries: int
    # Begin and end of each outage of the mail server, in real seconds from the start.
    outages: tuple[tuple[float, float], ...]
    # How long to wait, after the last kill, until nothing is due; in real seconds.
    settle_seconds: int

    @property
    def last_start(self) -> float:
        """The latest start in minutes: a little after the last kill."""
        return self.seconds * self.rate / MINUTE + 1

    @property
    def mail_timeout(self) -> int:
        """The SMTP timeout in real seconds: less than half the claim timeout, since a sender may connect twice."""
        return max(1, min(10, int(10 * MINUTE / self.rate * 0.4)))


def build_full(*, seconds: int = 150, seed: int = 1) -> Scenario:
    return Scenario(
        seconds=seconds,
        sessions=300,
        members=40,
        workers=3,
        # A little more than an hour of the product's time, after which another digest may be sent.
        rate=25,
        seed=seed,
        offsets=(15, 5),
        first_start=6,
        kill_every=1,
        failing_deliveries=3,
        outages=_build_outages(seconds, every=24, length=7),
        settle_seconds=300,
    )


def build_short(*, seconds: int = 12, seed: int = 1) -> Scenario:
    return replace(
        build_full(seconds=seconds, seed=seed),
        sessions=60,
        members=12,
        rate=60,
        # Far apart, since a delay of some seconds on a loaded machine is minutes of the product's time.
        offsets=(12, 6),
        first_start=6.5,
        outages=_build_outages(seconds, every=5, length=2),
        settle_seconds=120,
    )


def _build_outages(seconds: float, *, every: float, length: float) -> tuple[tuple[float, float], ...]:
    """Build outages that end before the last kill."""
    count = int((seconds - 1) // every)
    return tuple((each * every + every - length, each * every + every) for each in range(max(count, 1)))
