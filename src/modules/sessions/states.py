"""The states of a session and the edges between them: the one table that services, admin and API description read."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import models


class Status(models.TextChoices):
    PENDING_APPROVAL = "pending_approval", "waiting for approval"
    APPROVED = "approved", "approved"
    SCHEDULED = "scheduled", "scheduled"
    ONGOING = "ongoing", "ongoing"
    COMPLETED = "completed", "completed"
    CANCELLED = "cancelled", "cancelled"
    EXPIRED = "expired", "expired"


class Mover(StrEnum):
    """Who may take a session along an edge."""

    CREATOR = "creator"
    MODERATOR = "moderator"
    BOOKING = "booking"
    CLOCK = "clock"


EDGES: dict[tuple[Status, Status], frozenset[Mover]] = {
    (Status.PENDING_APPROVAL, Status.APPROVED): frozenset({Mover.MODERATOR}),
    (Status.PENDING_APPROVAL, Status.CANCELLED): frozenset({Mover.CREATOR, Mover.MODERATOR}),
    (Status.PENDING_APPROVAL, Status.EXPIRED): frozenset({Mover.CLOCK}),
    (Status.APPROVED, Status.SCHEDULED): frozenset({Mover.BOOKING, Mover.CREATOR}),
    (Status.APPROVED, Status.CANCELLED): frozenset({Mover.CREATOR, Mover.MODERATOR}),
    (Status.APPROVED, Status.EXPIRED): frozenset({Mover.CLOCK}),
    (Status.SCHEDULED, Status.ONGOING): frozenset({Mover.CREATOR, Mover.CLOCK}),
    (Status.SCHEDULED, Status.CANCELLED): frozenset({Mover.CREATOR, Mover.MODERATOR}),
    (Status.SCHEDULED, Status.EXPIRED): frozenset({Mover.CLOCK}),
    (Status.ONGOING, Status.COMPLETED): frozenset({Mover.CREATOR, Mover.CLOCK}),
    (Status.ONGOING, Status.CANCELLED): frozenset({Mover.CREATOR, Mover.MODERATOR}),
}

FINAL = frozenset(Status) - {source for source, _ in EDGES}
# Once approved, a session may be seen, joined, moved and called off.
OPEN = frozenset({Status.APPROVED, Status.SCHEDULED})
NOT_TAKING_PLACE = frozenset({Status.CANCELLED, Status.EXPIRED})
EVER_APPROVED = frozenset({Status.APPROVED, Status.SCHEDULED, Status.ONGOING, Status.COMPLETED})


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What of a session the clock looks at."""

    status: Status
    starts_at: datetime
    ends_at: datetime
    somebody_is_in: bool


def moved_by_clock(session: Moment, now: datetime) -> Status | None:
    """Where time alone takes a session next; `None` where it stays."""
    if session.status == Status.ONGOING:
        return Status.COMPLETED if now >= session.ends_at else None
    if session.status in FINAL or now < session.starts_at:
        return None
    if session.status == Status.SCHEDULED and session.somebody_is_in:
        return Status.ONGOING
    return Status.EXPIRED


def next_move_at(session: Moment) -> datetime | None:
    """When time alone takes a session on; `None` once it is final."""
    if session.status in FINAL:
        return None
    return session.ends_at if session.status == Status.ONGOING else session.starts_at


def describe() -> str:
    """The table as Markdown, for the description of the API."""
    lines = ["| from | to | by |", "| --- | --- | --- |"]
    lines += [
        f"| `{source}` | `{target}` | {', '.join(sorted(movers))} |" for (source, target), movers in EDGES.items()
    ]
    return "\n".join(lines)
