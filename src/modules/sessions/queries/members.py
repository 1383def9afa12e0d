"""A member's sessions, booking requests, and the decisions on their sessions, for the portal's page of a member."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from core.accounts.models import User
from core.facts.models import FactRecord
from modules.sessions import events
from modules.sessions.models import BookingRequest, Session
from modules.sessions.queries.statistics import Outcome

# The latest rows of each kind.
MAX_SHOWN = 50

DECISIONS = {
    events.SessionApproved.name: "approved",
    events.SessionRejected.name: "rejected",
    events.SessionCancelled.name: "cancelled",
    events.SessionHidden.name: "hidden",
    events.SessionShown.name: "shown again",
    events.SecondLookTaken.name: "edits let stand",
}


@dataclass(frozen=True, kw_only=True)
class Offered:
    """The number of a member's sessions, in total and by outcome, and the latest by start."""

    count: int
    by_outcome: Mapping[Outcome, int]
    latest: Sequence[Session]


@dataclass(frozen=True, kw_only=True)
class Booked:
    """The number of a member's booking requests, in total, by status and of sessions attended, and the latest."""

    count: int
    by_status: Mapping[BookingRequest.Status, int]
    attended: int
    latest: Sequence[BookingRequest]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A decision of somebody else on a session of the member; `outcome` is one of `DECISIONS`."""

    session_id: int
    title: str
    outcome: str
    by: User | None
    when: datetime
    reason: str


def list_offered_session_ids(member_id: int) -> list[int]:
    return list(Session.objects.filter(creator=member_id).order_by().values_list("pk", flat=True))


def load_offered(member: User) -> Offered:
    theirs = Session.objects.filter(creator=member)
    counts = theirs.aggregate(**{outcome.value: Count("pk", filter=outcome.rows) for outcome in Outcome})
    return Offered(
        count=sum(counts.values()),
        by_outcome={outcome: counts[outcome.value] for outcome in Outcome},
        latest=list(theirs.order_by("-date", "-pk")[:MAX_SHOWN]),
    )


def load_booked(member: User) -> Booked:
    theirs = BookingRequest.objects.filter(user=member)
    is_in = Q(status=BookingRequest.Status.APPROVED)
    held = Q(session__in=Session.objects.filter(Outcome.HELD.rows))
    counts = theirs.aggregate(
        **{status.value: Count("pk", filter=Q(status=status)) for status in BookingRequest.Status},
        attended=Count("pk", filter=is_in & held),
    )
    by_status = {status: counts[status.value] for status in BookingRequest.Status}
    return Booked(
        count=sum(by_status.values()),
        by_status=by_status,
        attended=counts["attended"],
        latest=list(theirs.select_related("session__creator").order_by("-requested_at", "-pk")[:MAX_SHOWN]),
    )


def load_decisions(member: User) -> list[Decision]:
    """Load decisions by others on the member's sessions, latest first.

    The latest of each kind are selected separately, so that many approvals do not displace a rejection.
    """
    theirs = Session.objects.filter(creator=member)
    kinds = [
        theirs.filter(Outcome.REJECTED.rows).order_by("-decided_at", "-pk"),
        theirs.filter(Outcome.CANCELLED.rows).order_by("-updated_at", "-pk"),
        theirs.filter(hidden_at__isnull=False).order_by("-hidden_at", "-pk"),
        theirs.filter(decided_at__isnull=False).order_by("-decided_at", "-pk"),
    ]
    ids = {pk for sessions in kinds for pk in sessions.values_list("pk", flat=True)[:MAX_SHOWN]}
    records = FactRecord.objects.filter(session_id__in=ids, name__in=DECISIONS, actor__isnull=False)
    return [
        Decision(
            session_id=record.session_id or 0,
            title=str(record.payload.get("title", "")),
            outcome=DECISIONS[record.name],
            by=record.actor,
            when=record.occurred_at,
            reason=record.reason,
        )
        for record in records.exclude(actor=member).select_related("actor").order_by("-pk")[: 4 * MAX_SHOWN]
    ]
