"""What is left to do in the cascade of a deactivation, and what a deactivation would do."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Count, QuerySet

from core.accounts.deactivation import find_last_change
from core.accounts.events import DEFAULT_EXPLANATION, Consequence, MemberDeactivated
from core.accounts.models import User
from core.facts.delivery import load_fact
from core.text.counts import format_count
from core.time import clock
from modules.sessions.models import BookingRequest, Session
from modules.sessions.queries.outcomes import filter_not_over
from modules.sessions.states import FINAL, OPEN

LIVE_STATUSES = (BookingRequest.Status.PENDING, BookingRequest.Status.APPROVED)


def find_members_to_cascade(*, limit: int) -> set[int]:
    """Return the ids of inactive members for whom something is left to do, at most `limit` for each kind."""
    # The condition on `moves_at` allows a partial index. With one query for both kinds, PostgreSQL reads all sessions.
    offered = Session.objects.filter(creator__is_active=False, moves_at__isnull=False)
    asked = BookingRequest.objects.filter(
        user__is_active=False,
        status__in=LIVE_STATUSES,
        session__in=_filter_upcoming(Session.objects.all(), clock.now()),
    )
    return {
        *offered.values_list("creator_id", flat=True).distinct()[:limit],
        *asked.values_list("user_id", flat=True).distinct()[:limit],
    }


def select_sessions_to_cancel(member_ids: Collection[int]) -> "QuerySet[Session]":
    """Select the sessions that inactive members among these offer, by creator and start."""
    theirs = Session.objects.filter(creator__in=member_ids, creator__is_active=False)
    # The order of an index, which is not used otherwise.
    return theirs.exclude(status__in=FINAL).order_by("-creator_id", "date", "pk")


def select_sessions_to_leave(member_ids: Collection[int]) -> "QuerySet[Session]":
    """Select upcoming sessions in which inactive members among these have a seat or a pending request, by start."""
    theirs = select_requests_to_release(member_ids).values("session_id")
    return _filter_upcoming(Session.objects.filter(pk__in=theirs), clock.now()).order_by("date", "pk")


def select_requests_to_release(member_ids: Collection[int]) -> "QuerySet[BookingRequest]":
    """Select the seats and pending requests of inactive members among these."""
    return BookingRequest.objects.filter(user__in=member_ids, user__is_active=False, status__in=LIVE_STATUSES)


def get_deactivation_cause(member_id: int) -> tuple[User | None, str]:
    """Return who deactivated a member, if that is recorded, and the explanation for others."""
    change = find_last_change(member_id)
    fact = load_fact(change) if change else None
    if change is None or not isinstance(fact, MemberDeactivated):
        return None, DEFAULT_EXPLANATION
    return change.actor, fact.told or DEFAULT_EXPLANATION


def describe_consequences(*, member_id: int, by_id: int) -> list[Consequence]:
    """Describe what a deactivation by `by_id` would do now, in sentences with counts."""
    now = clock.now()
    offered = Session.objects.filter(filter_not_over(now), creator=member_id)
    sessions = offered.count()
    concerned = BookingRequest.objects.filter(session__in=offered, status__in=LIVE_STATUSES).exclude(
        user__in=[member_id, by_id]
    )
    people = concerned.aggregate(people=Count("user", distinct=True))["people"]
    theirs = BookingRequest.objects.filter(user=member_id, session__in=_filter_upcoming(Session.objects.all(), now))
    requests = theirs.filter(status=BookingRequest.Status.PENDING).count()
    seats = theirs.filter(status=BookingRequest.Status.APPROVED).count()
    creators = "the creator is told" if seats == 1 else "the creators are told"
    members = f"{format_count(people, 'member')} who {_be(people)} in, or asked to join,"
    found = [
        ("sessions", sessions, f"{format_count(sessions, 'session')} of theirs {_be(sessions)} cancelled"),
        ("people", people, f"{members} {_be(people)} told"),
        ("requests", requests, f"{format_count(requests, 'request')} of theirs to join {_be(requests)} withdrawn"),
        ("places", seats, f"{format_count(seats, 'place')} of theirs {_be(seats)} free again, and {creators}"),
    ]
    return [Consequence(key=key, count=count, text=text) for key, count, text in found if count]


def _filter_upcoming(sessions: "QuerySet[Session]", now: datetime) -> "QuerySet[Session]":
    return sessions.filter(status__in=OPEN, date__gt=now)


def _be(count: int) -> str:
    """Return the form of "be" that agrees with a count."""
    return "is" if count == 1 else "are"
