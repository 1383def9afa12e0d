"""Periodic jobs: their schedules, the lock that gives each run to one worker, and the heartbeat.

Every worker tries to start every job each minute, and the row of the job (`Sweep`) lets one of them. So any number of
workers may run, and any of them may die. A job that takes longer than its interval may overlap with its next run.
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
# By which share of its interval a run may start early, since the clocks of workers differ.
EARLY_TOLERANCE = 0.25
# How long after its start a run that failed or was killed is tried again, unless the next run is due sooner.
RETRY_AFTER = HOUR
# An older wake-up in the queue is dropped: newer ones have followed.
WAKE_UP_EXPIRY = timedelta(minutes=5)

JobFunction = Callable[[], int]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a job runs: at an interval, or once a day from a time of day (UTC) on."""

    every: timedelta
    at: time | None = None

    def due_if_started_before(self, now: datetime) -> datetime:
        """The instant such that a job whose last run started by then is due at `now`."""
        if self.at is None:
            return now - self.every * (1 - EARLY_TOLERANCE)
        today = datetime.combine(now, self.at, tzinfo=now.tzinfo)
        return (today if today <= now else today - DAY) - timedelta.resolution

    @property
    def lateness_threshold(self) -> timedelta:
        """How long after its last successful end the job counts as late."""
        return self.every + min(2 * self.every, HOUR)


# The schedules of the jobs, by name: that of the function, with spaces.
PERIODIC_JOBS: dict[str, Schedule] = {}


def periodic_job(*, every: timedelta = MINUTE, at: time | None = None) -> Callable[[JobFunction], Callable[[], None]]:
    """Declare a function as a job that the worker runs at an interval, or once a day from the time `at` (UTC) on.

    The function returns how many rows it processed. Its name is stored and shown in the admin.
    """
    schedule = Schedule(every=every if at is None else DAY, at=at)

    def declare(function: JobFunction) -> Callable[[], None]:
        name = function.__name__.replace("_", " ")
        if name in PERIODIC_JOBS:
            raise RuntimeError(f"Two periodic jobs are called {name!r}")
        PERIODIC_JOBS[name] = schedule

        def run() -> None:
            run_if_due(name, function)

        run.__name__ = run.__qualname__ = function.__name__
        run.__module__ = function.__module__
        # Each minute whatever the interval, so that a worker that was down at the due time catches up.
        task: Callable[[], None] = db_periodic_task(crontab(minute="*"), expires=WAKE_UP_EXPIRY)(run)
        return task

    return declare


def run_if_due(name: str, function: JobFunction) -> None:
    """Run a job if it is due and no other worker has claimed the run. The result is recorded; nothing is raised."""
    schedule, now = PERIODIC_JOBS[name], clock.now()
    try:
        is_due = Q(started_at__lte=schedule.due_if_started_before(now))
        has_failed = Q(finished_at=None) | Q(finished_at__lt=F("started_at"))
        may_start = is_due | Q(has_failed, started_at__lte=now - RETRY_AFTER)
        if not _claim(name, every=schedule.every, may_start=may_start, now=now):
            return
        rows_processed = function()
        Sweep.objects.filter(name=name).update(finished_at=clock.now(), taken_up=rows_processed)
    except Exception as error:
        logger.exception("The worker could not %s", name)
        _record_failure(name, error)


def claim_interval(name: str, *, every: timedelta, now: datetime) -> bool:
    """Claim an interval; return true to one caller in each interval, and false to all others.

    Inside a transaction the claim holds once that commits. `now` is recorded as the time of the claim, which
    `get_last_claim` returns.
    """
    return _claim(name, every=every, may_start=Q(started_at__lte=now - every), now=now)


def get_last_claim(name: str) -> datetime | None:
    """Return the time of the last claim of this name, as the claimant saw it; `None` for never."""
    return Sweep.objects.filter(name=name).values_list("started_at", flat=True).first()


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """When the worker last finished a job successfully (`None` for never), and the names of the jobs that are late."""

    last_ran_at: datetime | None
    late_jobs: tuple[str, ...]


def read_heartbeat() -> Heartbeat:
    """Read whether the worker runs its jobs on time, in one query."""
    ends = {row.name: row.finished_at for row in Sweep.objects.filter(name__in=PERIODIC_JOBS) if row.finished_at}
    late_jobs = tuple(name for name in PERIODIC_JOBS if is_late(name, ends.get(name)))
    return Heartbeat(last_ran_at=max(ends.values(), default=None), late_jobs=late_jobs)


def is_late(name: str, finished_at: datetime | None) -> bool:
    """Whether a job that last succeeded at `finished_at` should have succeeded again since."""
    schedule, now = PERIODIC_JOBS[name], clock.now()
    # An end in the future was recorded by a clock that has been corrected since.
    return finished_at is None or not now - schedule.lateness_threshold <= finished_at <= now + schedule.every


def _claim(name: str, *, every: timedelta, may_start: Q, now: datetime) -> bool:
    # A start in the future was recorded by a clock that has been corrected since.
    is_free = may_start | Q(started_at__gt=now + every)
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


def _record_failure(name: str, error: Exception) -> None:
    try:
        # The connection itself may have failed.
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        Sweep.objects.filter(name=name).update(failed_at=clock.now(), error=format_traceback(error))
    except Error:
        logger.exception("The failure to %s could not be recorded", name)
