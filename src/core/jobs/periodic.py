"""Whose turn it is to sweep, and whether the worker still does.

Every worker wants to begin every sweep, each minute; the row of a sweep gives the turn to one of them, so that any
number of workers may run, and any of them may die.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db import Error, IntegrityError, connection, transaction
from django.db.models import F, Q
from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from core.jobs.models import Sweep
from core.jobs.retry_policy import format_traceback
from core.time import clock

logger = logging.getLogger(__name__)

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Of its interval, by how much a turn may come early: the clocks of workers do not beat together.
EARLY_TOLERANCE = 0.25
# How long after its start one that is killed or fails is begun again, where its next turn is not sooner.
RETRY_AFTER = HOUR
# A wake-up that has lain in the queue for longer is worth nothing: others have come since.
WAKE_UP_EXPIRY = timedelta(minutes=5)

JobFunction = Callable[[], int]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How often a sweep has its turn: each `every`, or each day `at` a time (UTC), later where nobody ran then."""

    every: timedelta
    at: time | None = None

    def due_if_started_before(self, now: datetime) -> datetime:
        """Who has begun by this instant, and not since, may begin again."""
        if self.at is None:
            return now - self.every * (1 - EARLY_TOLERANCE)
        today = datetime.combine(now, self.at, tzinfo=now.tzinfo)
        return (today if today <= now else today - DAY) - timedelta.resolution

    @property
    def patience(self) -> timedelta:
        """After how long without a good end it is late."""
        return self.every + min(2 * self.every, HOUR)


# What is swept here, by its name in words.
PERIODIC_JOBS: dict[str, Schedule] = {}


def periodic_job(*, every: timedelta = MINUTE, at: time | None = None) -> Callable[[JobFunction], Callable[[], None]]:
    """Declare that the worker does this again and again: each `every`, or each day `at` a time (UTC) or later.

    The function returns how many rows it took up. Its name is what the admin shows.
    """
    rhythm = Schedule(every=every if at is None else DAY, at=at)

    def declare(function: JobFunction) -> Callable[[], None]:
        name = function.__name__.replace("_", " ")
        if name in PERIODIC_JOBS:
            raise RuntimeError(f"Two sweeps are called {name!r}")
        PERIODIC_JOBS[name] = rhythm

        def run() -> None:
            run_if_due(name, function)

        run.__name__ = run.__qualname__ = function.__name__
        run.__module__ = function.__module__
        # The rarer ones too: a worker that was down at that time makes up for it.
        task: Callable[[], None] = db_periodic_task(crontab(minute="*"), expires=WAKE_UP_EXPIRY)(run)
        return task

    return declare


def run_if_due(name: str, function: JobFunction) -> None:
    """Sweep, unless another worker has begun the same for this turn. How it went is noted; nothing is raised."""
    rhythm, now = PERIODIC_JOBS[name], clock.now()
    try:
        begun = Q(started_at__lte=rhythm.due_if_started_before(now))
        not_ended_well = Q(finished_at=None) | Q(finished_at__lt=F("started_at"))
        may_begin = begun | Q(not_ended_well, started_at__lte=now - RETRY_AFTER)
        if not _claim(name, every=rhythm.every, may_begin=may_begin, now=now):
            return
        taken_up = function()
        Sweep.objects.filter(name=name).update(finished_at=clock.now(), taken_up=taken_up)
    except Exception as error:
        logger.exception("The worker could not %s", name)
        _note_failure(name, error)


def claim_interval(name: str, *, every: timedelta, now: datetime) -> bool:
    """True for one caller in each interval, false for all others.

    Inside a transaction the turn is taken once that commits. `now` is what the caller went by, and what `last_turn`
    answers from then on.
    """
    return _claim(name, every=every, may_begin=Q(started_at__lte=now - every), now=now)


def get_last_claim(name: str) -> datetime | None:
    """When a turn was last taken, as its taker saw it, `None` for never."""
    return Sweep.objects.filter(name=name).values_list("started_at", flat=True).first()


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """When the worker last ended a sweep well, `None` for never, and which sweeps are late."""

    last_ran_at: datetime | None
    late: tuple[str, ...]


def heartbeat() -> Heartbeat:
    """Whether the worker does what it should. One query."""
    ends = {row.name: row.finished_at for row in Sweep.objects.filter(name__in=PERIODIC_JOBS) if row.finished_at}
    late = tuple(name for name in PERIODIC_JOBS if is_late(name, ends.get(name)))
    return Heartbeat(last_ran_at=max(ends.values(), default=None), late=late)


def is_late(name: str, finished_at: datetime | None) -> bool:
    """Whether a sweep that last ended well then has not done so for too long."""
    rhythm, now = PERIODIC_JOBS[name], clock.now()
    # An end in the future was noted by a clock that has been put right since, and tells nothing.
    return finished_at is None or not now - rhythm.patience <= finished_at <= now + rhythm.every


def _claim(name: str, *, every: timedelta, may_begin: Q, now: datetime) -> bool:
    # A start in the future was noted by a clock that has been put right since.
    is_free = may_begin | Q(started_at__gt=now + every)
    if Sweep.objects.filter(is_free, name=name).update(started_at=now, every=every):
        return True
    if Sweep.objects.filter(name=name).exists():
        return False
    try:
        with transaction.atomic():
            Sweep.objects.create(name=name, every=every, started_at=now)
    except IntegrityError:
        return False
    return True


def _note_failure(name: str, error: Exception) -> None:
    try:
        # It may be the connection that has failed.
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        Sweep.objects.filter(name=name).update(failed_at=clock.now(), error=format_traceback(error))
    except Error:
        logger.exception("That it could not %s could not be noted", name)
