"""Whose turn it is to sweep, and whether the worker still does.

Every worker schedules every sweep; the row of a sweep gives the turn to one of them, so that any number of workers may
run, and any of them may die.
"""

import logging
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from core import clock
from core.sweeps.models import Sweep
from core.text import storable

logger = logging.getLogger(__name__)

MINUTE = timedelta(minutes=1)
# Of its interval, by how much a turn may come early: the clocks of workers do not beat together.
EARLY = 0.25
# After how many intervals without an end a sweep is late.
PATIENCE = 3
# Of a traceback, in characters.
LONGEST_ERROR = 20_000

# What is swept here, and how often.
SWEEPS: dict[str, timedelta] = {}

Swept = Callable[[], int]


def sweeps(
    *, every: timedelta = MINUTE, at: "Callable[[datetime], bool] | None" = None
) -> Callable[[Swept], Callable[[], None]]:
    """Declare that the worker does this again and again: each minute, or when `at` (a crontab) says so.

    The function returns how many rows it took up. Its name is what the admin shows.
    """

    def declare(function: Swept) -> Callable[[], None]:
        name = function.__name__.replace("_", " ")
        SWEEPS[name] = every

        def run() -> None:
            take_turn(name, function)

        run.__name__ = run.__qualname__ = function.__name__
        run.__module__ = function.__module__
        task: Callable[[], None] = db_periodic_task(at or crontab(minute="*"))(run)
        return task

    return declare


def take_turn(name: str, function: Swept) -> None:
    """Sweep, unless another worker has begun the same for this turn. How it went is noted; nothing is raised."""
    every = SWEEPS[name]
    if not claim_turn(name, every=every, pause=every * (1 - EARLY)):
        return
    try:
        taken_up = function()
    except Exception as error:
        logger.exception("The worker could not %s", name)
        told = storable("".join(traceback.format_exception(error)), most=LONGEST_ERROR)
        Sweep.objects.filter(name=name).update(failed_at=clock.now(), error=told)
    else:
        Sweep.objects.filter(name=name).update(finished_at=clock.now(), taken_up=taken_up)


def claim_turn(name: str, *, every: timedelta, pause: timedelta | None = None) -> bool:
    """True for one caller in each interval (or `pause`, where that is shorter), false for all others.

    Inside a transaction the turn is taken once that commits.
    """
    now = clock.now()
    # A start in the future was noted by a clock that has been put right since.
    whose_turn = Q(started_at__lte=now - (pause or every)) | Q(started_at__gt=now + every)
    if Sweep.objects.filter(whose_turn, name=name).update(started_at=now, every=every):
        return True
    if Sweep.objects.filter(name=name).exists():
        return False
    try:
        with transaction.atomic():
            Sweep.objects.create(name=name, every=every, started_at=now)
    except IntegrityError:
        return False
    return True


def last_turn(name: str) -> datetime | None:
    """When a turn was last taken, `None` for never."""
    return Sweep.objects.filter(name=name).values_list("started_at", flat=True).first()


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """When the worker last finished something, `None` for never, and which sweeps are late."""

    last_ran_at: datetime | None
    late: tuple[str, ...]


def heartbeat() -> Heartbeat:
    """Whether the worker does what it should. One query."""
    rows = {row.name: row for row in Sweep.objects.filter(name__in=SWEEPS)}
    ends = [row.finished_at for row in rows.values() if row.finished_at]
    return Heartbeat(last_ran_at=max(ends, default=None), late=tuple(_late(rows.values())))


def _late(rows: Iterable[Sweep]) -> "Iterable[str]":
    """Those that have not ended well for too long. What has never begun is late where nothing else has either."""
    found = {row.name: row for row in rows}
    now = clock.now()
    for name, every in SWEEPS.items():
        row = found.get(name)
        if row is None:
            # A nightly sweep has its first turn in the night; one of each minute is simply missing.
            if every <= MINUTE:
                yield name
        elif (row.finished_at or row.started_at) < now - every * PATIENCE:
            yield name
