"""Evidence for moderators before a decision: the creator's history, earlier decisions, edits, clashes, leases."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from core.facts.models import FactRecord
from core.facts.publish import Changes
from modules.sessions.models import BookingRequest, DecisionLease, Session
from modules.sessions.queries.decisions import DECISIONS, find_changes_since_decision
from modules.sessions.queries.outcomes import CANCELLED, HELD, REJECTED
from modules.sessions.states import FINAL, Status

# Of earlier decisions, and of clashes.
MAX_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class CreatorHistory:
    """The number of a creator's sessions by outcome."""

    held: int = 0
    rejected: int = 0
    cancelled: int = 0


@dataclass(frozen=True, kw_only=True)
class EarlierDecision:
    """A decision of a moderator on another session of the same creator."""

    session_id: int
    title: str
    approved: bool
    by: str
    when: datetime
    reason: str


@dataclass(frozen=True, kw_only=True)
class Clash:
    """Another session of the creator at the same time; `offers` is false if they are a participant there."""

    session: Session
    offers: bool


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All evidence about one session."""

    history: CreatorHistory
    decisions: Sequence[EarlierDecision]
    changes: Changes
    clashes: Sequence[Clash]


def load_evidence(session: Session) -> Evidence:
    """Load the evidence in a constant number of queries."""
    return Evidence(
        history=load_creator_histories([session.creator_id])[session.creator_id],
        decisions=load_earlier_decisions(session),
        changes=find_changes_since_decision(session),
        clashes=find_clashes([session])[session.pk][:MAX_SHOWN],
    )


def load_creator_histories(creator_ids: Iterable[int]) -> dict[int, CreatorHistory]:
    """Load the history of each of these members, by id."""
    wanted = set(creator_ids)
    counted = (
        Session.objects.filter(creator_id__in=wanted, status__in=FINAL)
        .order_by()
        .values("creator_id")
        .annotate(
            held=Count("pk", filter=HELD),
            rejected=Count("pk", filter=REJECTED),
            cancelled=Count("pk", filter=CANCELLED),
        )
    )
    histories = dict.fromkeys(wanted, CreatorHistory())
    for row in counted:
        histories[row["creator_id"]] = CreatorHistory(
            held=row["held"], rejected=row["rejected"], cancelled=row["cancelled"]
        )
    return histories


def load_earlier_decisions(session: Session) -> list[EarlierDecision]:
    """Load the decisions on the creator's other sessions, latest first, at most `MAX_SHOWN`."""
    decided = Session.objects.filter(creator=session.creator_id, decided_at__isnull=False).exclude(pk=session.pk)
    titles = dict(decided.order_by("-decided_at", "-pk").values_list("pk", "title")[:MAX_SHOWN])
    records = FactRecord.objects.filter(session_id__in=list(titles), name__in=DECISIONS).select_related("actor")
    return [
        EarlierDecision(
            session_id=record.session_id or 0,
            title=titles[record.session_id or 0],
            approved=record.name == DECISIONS[0],
            by=record.actor.display_name if record.actor else "",
            when=record.occurred_at,
            reason=record.reason,
        )
        for record in records.order_by("-pk")
    ]


def find_clashes(sessions: Sequence[Session]) -> dict[int, list[Clash]]:
    """Find, by session id, overlapping sessions that its creator offers or attends, by start."""
    found: dict[int, list[Clash]] = {session.pk: [] for session in sessions}
    if not sessions:
        return found
    creators = {session.creator_id for session in sessions}
    begin, end = min(session.date for session in sessions), max(session.ends_at for session in sessions)
    busy: dict[int, list[Clash]] = defaultdict(list)
    offered = Session.objects.filter(creator_id__in=creators, date__lt=end, ends_at__gt=begin)
    for other in offered.exclude(status__in=FINAL).defer("description"):
        busy[other.creator_id].append(Clash(session=other, offers=True))
    seats = BookingRequest.objects.filter(
        user_id__in=creators,
        status=BookingRequest.Status.APPROVED,
        session__date__lt=end,
        session__ends_at__gt=begin,
    )
    seats = seats.exclude(session__status__in=FINAL).select_related("session")
    for seat in seats.defer("message", "session__description"):
        busy[seat.user_id].append(Clash(session=seat.session, offers=False))
    for session in sessions:
        found[session.pk] = sorted(
            (clash for clash in busy[session.creator_id] if _overlaps(clash.session, session)),
            key=lambda clash: (clash.session.date, clash.session.pk),
        )
    return found


def _overlaps(one: Session, other: Session) -> bool:
    return one.pk != other.pk and one.date < other.ends_at and other.date < one.ends_at


def load_leases(session_ids: Iterable[int], now: datetime) -> dict[int, DecisionLease]:
    """Load the current leases on these sessions, by session id."""
    leases = DecisionLease.objects.filter(
        session_id__in=list(session_ids), session__status=Status.PENDING_APPROVAL, ends_at__gt=now
    )
    return {lease.session_id: lease for lease in leases.select_related("holder")}
