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


class Role(StrEnum):
    """Who may take a session along an edge."""

    CREATOR = "creator"
    MODERATOR = "moderator"
    BOOKING = "booking"
    CLOCK = "clock"


ALLOWED_TRANSITIONS: dict[tuple[Status, Status], frozenset[Role]] = {
    (Status.PENDING_APPROVAL, Status.APPROVED): frozenset({Role.MODERATOR}),
    (Status.PENDING_APPROVAL, Status.CANCELLED): frozenset({Role.CREATOR, Role.MODERATOR}),
    (Status.PENDING_APPROVAL, Status.EXPIRED): frozenset({Role.CLOCK}),
    (Status.APPROVED, Status.SCHEDULED): frozenset({Role.BOOKING, Role.CREATOR}),
    (Status.APPROVED, Status.CANCELLED): frozenset({Role.CREATOR, Role.MODERATOR}),
    (Status.APPROVED, Status.EXPIRED): frozenset({Role.CLOCK}),
    (Status.SCHEDULED, Status.ONGOING): frozenset({Role.CREATOR, Role.CLOCK}),
    (Status.SCHEDULED, Status.CANCELLED): frozenset({Role.CREATOR, Role.MODERATOR}),
    (Status.SCHEDULED, Status.EXPIRED): frozenset({Role.CLOCK}),
    (Status.ONGOING, Status.COMPLETED): frozenset({Role.CREATOR, Role.CLOCK}),
    (Status.ONGOING, Status.CANCELLED): frozenset({Role.CREATOR, Role.MODERATOR}),
}

FINAL = frozenset(Status) - {source for source, _ in ALLOWED_TRANSITIONS}
# Once approved, a session may be seen, joined, moved and called off.
OPEN = frozenset({Status.APPROVED, Status.SCHEDULED})
NOT_TAKING_PLACE = frozenset({Status.CANCELLED, Status.EXPIRED})
EVER_APPROVED = frozenset({Status.APPROVED, Status.SCHEDULED, Status.ONGOING, Status.COMPLETED})


@dataclass(frozen=True, kw_only=True)
class TimedState:
    """What of a session the clock looks at."""

    status: Status
    starts_at: datetime
    ends_at: datetime
    has_participants: bool


def find_due_transition(session: TimedState, now: datetime) -> Status | None:
    """Where time alone takes a session next; `None` where it stays."""
    if session.status == Status.ONGOING:
        return Status.COMPLETED if now >= session.ends_at else None
    if session.status in FINAL or now < session.starts_at:
        return None
    if session.status == Status.SCHEDULED and session.has_participants:
        return Status.ONGOING
    return Status.EXPIRED


def compute_next_transition_at(session: TimedState) -> datetime | None:
    """When time alone takes a session on; `None` once it is final."""
    if session.status in FINAL:
        return None
    return session.ends_at if session.status == Status.ONGOING else session.starts_at


def describe_transitions() -> str:
    """The table as Markdown, for the description of the API."""
    lines = ["| from | to | by |", "| --- | --- | --- |"]
    lines += [
        f"| `{source}` | `{target}` | {', '.join(sorted(movers))} |"
        for (source, target), movers in ALLOWED_TRANSITIONS.items()
    ]
    return "\n".join(lines)
