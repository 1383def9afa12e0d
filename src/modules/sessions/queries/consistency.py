"""Find stored values of sessions that differ from the rows and fields from which they are derived."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Exists, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from core.text.normalization import build_search_key
from modules.sessions.models import BookingRequest, DecisionLease, Session
from modules.sessions.reminding import NUDGE_BEFORE
from modules.sessions.states import Status, TimedState, compute_next_transition_at

CHUNK_SIZE = 1000

COLUMNS = (
    *("pk", "status", "date", "duration", "ends_at", "moves_at", "subject", "subject_key"),
    *("hidden_at", "visible_title", "participant_count", "max_participants", "waiting_count", "nudge_due_at"),
)


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """A stored value of a session that is not what its rows say."""

    session_id: int
    field: str
    stored: object
    expected: object

    def __str__(self) -> str:
        return f"session {self.session_id}: {self.field} is {self.stored!s}, expected {self.expected!s}"


def count_sessions() -> int:
    """Return how many sessions `find_mismatches` reads."""
    return Session.objects.count()


def find_mismatches(*, on_progress: Callable[[int], object] | None = None) -> Iterator[Mismatch]:
    """Compare every session with its booking requests and its own fields, by primary key.

    A single statement, and so a consistent snapshot. `on_progress` is called with the number of sessions that were read
    since its last call.
    """
    sessions = (
        Session.objects.order_by("pk")
        .annotate(
            approved_requests=_count_requests(BookingRequest.Status.APPROVED),
            pending_requests=_count_requests(BookingRequest.Status.PENDING),
            has_lease=Exists(DecisionLease.objects.filter(session=OuterRef("pk"))),
        )
        .values(*COLUMNS, "approved_requests", "pending_requests", "has_lease")
    )
    for row in sessions.iterator(chunk_size=CHUNK_SIZE):
        yield from _compare(row)
        if on_progress is not None:
            on_progress(1)


def _compare(row: Mapping[str, Any]) -> Iterator[Mismatch]:
    for field, expected in _compute_expected(row).items():
        if row[field] != expected:
            yield Mismatch(session_id=row["pk"], field=field, stored=row[field], expected=expected)
    # A constraint bounds the counter only, not the rows.
    if row["approved_requests"] > row["max_participants"]:
        yield Mismatch(
            session_id=row["pk"],
            field="approved booking requests",
            stored=row["approved_requests"],
            expected=f"at most {row['max_participants']}",
        )
    if row["nudge_due_at"] not in {None, row["date"] - NUDGE_BEFORE}:
        yield Mismatch(
            session_id=row["pk"],
            field="nudge_due_at",
            stored=row["nudge_due_at"],
            expected=row["date"] - NUDGE_BEFORE,
        )
    if bool(row["hidden_at"]) != bool(row["visible_title"]):
        yield Mismatch(
            session_id=row["pk"],
            field="visible_title",
            stored=repr(row["visible_title"]),
            expected="the title when it was hidden" if row["hidden_at"] else "nothing, since it is not hidden",
        )


def _compute_expected(row: Mapping[str, Any]) -> dict[str, object]:
    """Compute these columns from the rows and fields."""
    ends_at = row["date"] + timedelta(minutes=row["duration"])
    timed_state = TimedState(
        status=Status(row["status"]),
        starts_at=row["date"],
        ends_at=ends_at,
        has_participants=row["approved_requests"] > 0,
    )
    return {
        "participant_count": row["approved_requests"],
        "waiting_count": row["pending_requests"],
        "ends_at": ends_at,
        "moves_at": compute_next_transition_at(timed_state),
        "subject_key": build_search_key(row["subject"]),
        "has_lease": row["has_lease"] and row["status"] == Status.PENDING_APPROVAL,
    }


def _count_requests(status: str) -> Coalesce:
    counted = (
        BookingRequest.objects.filter(session=OuterRef("pk"), status=status)
        .order_by()
        .values("session")
        .annotate(count=Count("pk"))
    )
    return Coalesce(Subquery(counted.values("count"), output_field=IntegerField()), 0)
