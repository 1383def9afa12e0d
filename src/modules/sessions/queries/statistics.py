"""Statistics of sessions, aggregated by the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Case, Count, FloatField, Func, Min, Q, Sum, TextChoices, Value, When

from core.time import clock
from modules.sessions.models import Session
from modules.sessions.queries.outcomes import CANCELLED, EXPIRED, HELD, REJECTED, WITHDRAWN
from modules.sessions.queries.tabs import EDITED, STARTING_SOON, WAITING
from modules.sessions.states import FINAL

WEEKS = 12
WEEK = timedelta(weeks=1)
DECIDED_WITHIN = timedelta(days=90)
MAX_SUBJECTS = 8


class Outcome(TextChoices):
    """How a session ended, or that it has not."""

    HELD = "held", "Held"
    CANCELLED = "cancelled", "Cancelled"
    REJECTED = "rejected", "Rejected"
    EXPIRED = "expired", "Expired"
    NOT_OVER = "not_over", "Not over yet"

    @property
    def rows(self) -> Q:
        """The filter for sessions with this outcome, of which each session has exactly one."""
        return OUTCOMES[self]


OUTCOMES = {
    Outcome.HELD: HELD,
    Outcome.CANCELLED: CANCELLED | WITHDRAWN,
    Outcome.REJECTED: REJECTED,
    Outcome.EXPIRED: EXPIRED,
    Outcome.NOT_OVER: ~Q(status__in=sorted(FINAL)),
}


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """The number of sessions that wait for moderators; `longest` is the one that was offered first."""

    waiting: int
    starting_soon: int
    edited: int
    longest: "LongestWaiting | None"


@dataclass(frozen=True, kw_only=True)
class LongestWaiting:
    session_id: int
    title: str
    since: datetime


@dataclass(frozen=True, kw_only=True)
class Week:
    """The sessions that start in one week (Monday to Sunday, UTC), and the seats of those that were held."""

    starts_at: datetime
    sessions: Mapping[Outcome, int]
    seats: int
    taken: int


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The sessions held on one subject. `key` is the normalized subject."""

    key: str
    name: str
    sessions: int
    participants: int


@dataclass(frozen=True, kw_only=True)
class DecisionTimes:
    """Median and 90th percentile of the time from creation to decision; `None` without decisions since `since`."""

    since: datetime
    decided: int
    median: timedelta | None
    ninetieth: timedelta | None


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """The statistics that are cached."""

    weeks: Sequence[Week]
    subjects: Sequence[Subject]
    decisions: DecisionTimes


def count_backlog() -> Backlog:
    now = clock.now()
    waiting = Session.objects.filter(WAITING.rows(now))
    counted = waiting.aggregate(waiting=Count("*"), starting_soon=Count("pk", filter=STARTING_SOON.rows(now)))
    longest = waiting.order_by("created_at", "pk").values_list("pk", "title", "created_at").first()
    return Backlog(
        **counted,
        edited=Session.objects.filter(EDITED.rows(now)).count(),
        longest=LongestWaiting(session_id=longest[0], title=longest[1], since=longest[2]) if longest else None,
    )


def compute_statistics() -> Statistics:
    """Compute the statistics of the last twelve weeks and, for decisions, of the last ninety days."""
    now = clock.now()
    return Statistics(weeks=compute_weeks(now), subjects=rank_subjects(now), decisions=compute_decision_times(now))


def compute_first_week(now: datetime) -> datetime:
    """Compute when the first of the last twelve weeks began; the current week is the last of them."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=today.weekday()) - (WEEKS - 1) * WEEK


def filter_these_weeks(now: datetime) -> Q:
    first = compute_first_week(now)
    return Q(date__gte=first, date__lt=first + WEEKS * WEEK)


def compute_weeks(now: datetime) -> list[Week]:
    """Compute the last twelve weeks, by when sessions start. One query."""
    starts = [compute_first_week(now) + number * WEEK for number in range(WEEKS)]
    # Not `TruncWeek`, which on SQLite calls Python for each row.
    number_of_week = Case(*(When(date__lt=start + WEEK, then=Value(number)) for number, start in enumerate(starts)))
    counted = (
        Session.objects.filter(filter_these_weeks(now))
        .annotate(week=number_of_week)
        .order_by()
        .values("week")
        .annotate(
            **{outcome.value: Count("pk", filter=outcome.rows) for outcome in Outcome},
            seats=Sum("max_participants", filter=HELD, default=0),
            taken=Sum("participant_count", filter=HELD, default=0),
        )
    )
    found = {row["week"]: row for row in counted}
    nothing = dict.fromkeys([*Outcome.values, "seats", "taken"], 0)
    rows = [found.get(number, nothing) for number in range(WEEKS)]
    return [
        Week(
            starts_at=start,
            sessions={outcome: row[outcome.value] for outcome in Outcome},
            seats=row["seats"],
            taken=row["taken"],
        )
        for start, row in zip(starts, rows, strict=True)
    ]


def rank_subjects(now: datetime) -> list[Subject]:
    """Rank the subjects of the sessions held in the last twelve weeks by number of sessions, then of participants."""
    counted = (
        Session.objects.filter(HELD, filter_these_weeks(now))
        .order_by()
        .values("subject_key")
        .annotate(name=Min("subject"), sessions=Count("*"), participants=Sum("participant_count"))
        .order_by("-sessions", "-participants", "subject_key")
    )
    return [
        Subject(key=row["subject_key"], name=row["name"], sessions=row["sessions"], participants=row["participants"])
        for row in counted[:MAX_SUBJECTS]
    ]


def compute_decision_times(now: datetime) -> DecisionTimes:
    since = now - DECIDED_WITHIN
    took = (
        Session.objects.filter(decided_at__gte=since)
        .annotate(took=Elapsed("decided_at", "created_at"))
        .values_list("took", flat=True)
    )
    decided = took.count()

    def compute_percentile(percent: int) -> timedelta | None:
        """Compute a percentile, rounded to seconds since SQLite's days are not exact."""
        shorter = (decided * percent + 99) // 100 - 1
        longer = decided - 1 - shorter
        # From the nearer end: the database stops sorting at the limit.
        ordering, index = ("took", shorter) if shorter <= longer else ("-took", longer)
        # None, also if rows were deleted after they were counted.
        found = took.order_by(ordering)[index : index + 1] if decided else ()
        return next((timedelta(seconds=round(seconds)) for seconds in found), None)

    return DecisionTimes(since=since, decided=decided, median=compute_percentile(50), ninetieth=compute_percentile(90))


class Elapsed(Func):
    """The seconds from the second instant to the first, as a number, which sorts faster than an interval.

    On SQLite, Django's own subtraction calls Python for each row.
    """

    arity = 2
    output_field = FloatField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        days = {"template": "(julianday(%(expressions)s)) * 86400", "arg_joiner": ") - julianday("}
        return self.as_sql(compiler, connection, **days, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        seconds = {"template": "date_part('epoch', %(expressions)s)", "arg_joiner": " - "}
        return self.as_sql(compiler, connection, **seconds, **context)
