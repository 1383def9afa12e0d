"""The statuses of a session and the transitions between them.

`ALLOWED_TRANSITIONS` has the transitions of each role. Which roles a member has in a session is decided in `policy.py`,
and what else a transition requires in `services/transitions.py`.
"""

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
    """Who may make a transition: a member's role in the session, or an automatic cause."""

    CREATOR = "creator"
    MODERATOR = "moderator"
    # The first participant was approved.
    BOOKING = "booking"
    # A time was reached.
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
# Approved and not started: can be joined, rescheduled and cancelled.
OPEN = frozenset({Status.APPROVED, Status.SCHEDULED})
NOT_TAKING_PLACE = frozenset({Status.CANCELLED, Status.EXPIRED})
EVER_APPROVED = frozenset({Status.APPROVED, Status.SCHEDULED, Status.ONGOING, Status.COMPLETED})


@dataclass(frozen=True, kw_only=True)
class TimedState:
    """The fields of a session that decide on transitions by time."""

    status: Status
    starts_at: datetime
    ends_at: datetime
    has_participants: bool


def find_due_transition(session: TimedState, now: datetime) -> Status | None:
    """Return the target of the transition that is due by time, or `None`."""
    if session.status == Status.ONGOING:
        return Status.COMPLETED if now >= session.ends_at else None
    if session.status in FINAL or now < session.starts_at:
        return None
    if session.status == Status.SCHEDULED and session.has_participants:
        return Status.ONGOING
    return Status.EXPIRED


def compute_next_transition_at(session: TimedState) -> datetime | None:
    """Return when the next transition by time is due; `None` if the status is final."""
    if session.status in FINAL:
        return None
    return session.ends_at if session.status == Status.ONGOING else session.starts_at


def describe_transitions() -> str:
    """Render `ALLOWED_TRANSITIONS` as a Markdown table, for the API document."""
    lines = ["| from | to | by |", "| --- | --- | --- |"]
    lines += [
        f"| `{source}` | `{target}` | {', '.join(sorted(roles))} |"
        for (source, target), roles in ALLOWED_TRANSITIONS.items()
    ]
    return "\n".join(lines)
