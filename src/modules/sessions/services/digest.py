"""The digest for moderators of sessions that wait for approval (docs/contract.md, "Moderation")."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from core.accounts.models import User
from core.facts.models import FactRecord
from core.facts.publish import publish
from core.jobs.periodic import claim_interval, get_last_claim
from core.time import clock
from modules.sessions import events
from modules.sessions.models import Session
from modules.sessions.policy import MODERATE
from modules.sessions.states import Status

# The name of its interval claim.
DIGEST = "moderation digest"
MIN_INTERVAL = timedelta(hours=1)
# How often a digest is sent without news while sessions wait.
MAX_INTERVAL = timedelta(hours=24)
URGENT = timedelta(hours=48)
# How many sessions a digest names to each moderator.
MAX_NAMED = 20
# How long the transaction that offered or rescheduled a session may take to commit. Without this margin, a session that
# becomes visible only after the digest, with an earlier time, would never count as news.
COMMIT_TOLERANCE = timedelta(seconds=10)


def publish_digest() -> int:
    """Publish `SessionsWaiting` if there is news; return how many sessions wait, or 0 if nothing was published.

    News is a session that was offered or has become urgent since the last digest, or a day without a digest while
    sessions wait. Published at most once an hour, whatever the number of workers.
    """
    with transaction.atomic():
        now = clock.now()
        waiting = Session.objects.filter(
            status=Status.PENDING_APPROVAL, date__gt=now, created_at__lte=now - COMMIT_TOLERANCE
        )
        if not _is_news(waiting, get_last_claim(DIGEST), now):
            return 0
        moderators = User.objects.with_perm(MODERATE).order_by("pk").values_list("pk", flat=True)
        if not moderators or not claim_interval(DIGEST, every=MIN_INTERVAL, now=now):
            return 0
        by_creator = dict(waiting.values_list("creator_id").annotate(Count("pk")))
        own = {moderator: by_creator[moderator] for moderator in moderators if moderator in by_creator}
        count = sum(by_creator.values())
        fact = events.SessionsWaiting(
            moderator_ids=tuple(moderators),
            waiting=count,
            own=own,
            sessions=tuple(
                events.WaitingSession(
                    session_id=session.pk,
                    title=session.title,
                    creator_id=session.creator_id,
                    date=session.date,
                    urgent=session.date <= now + URGENT,
                )
                for session in _select_named_sessions(waiting, own)
            ),
        )
        publish(fact, by=None)
    return count


def _select_named_sessions(waiting: "QuerySet[Session]", moderators: Iterable[int]) -> list[Session]:
    """Return the first sessions by start, and for each of these moderators the first that are not their own.

    `moderators` are the ids of those who offered some of the sessions.
    """
    by_start = waiting.order_by("date", "pk")
    named = set(by_start[:MAX_NAMED]).union(*(by_start.exclude(creator_id=each)[:MAX_NAMED] for each in moderators))
    return sorted(named, key=lambda session: (session.date, session.pk))


def _is_news(waiting: "QuerySet[Session]", last_at: datetime | None, now: datetime) -> bool:
    # The last digest is too old, or in the future since the clock was wrong then.
    if last_at is None or not now - MAX_INTERVAL < last_at <= now:
        return waiting.exists()
    has_come = Q(created_at__gt=last_at - COMMIT_TOLERANCE)
    has_become_urgent = Q(date__gt=last_at + URGENT, date__lte=now + URGENT)
    return waiting.filter(has_come | has_become_urgent).exists() or _has_moved_close(waiting, last_at, now)


def _has_moved_close(waiting: "QuerySet[Session]", last_at: datetime, now: datetime) -> bool:
    """Return whether a session became urgent by being rescheduled since the last digest."""
    # `updated_at` is earlier than the time of the fact, by the duration of the transaction.
    edited = waiting.filter(date__lte=now + URGENT, updated_at__gt=last_at - 2 * COMMIT_TOLERANCE)
    moves = FactRecord.objects.filter(
        session_id__in=list(edited.values_list("pk", flat=True)),
        name=events.SessionRescheduled.name,
        occurred_at__gt=last_at - COMMIT_TOLERANCE,
        occurred_at__lte=now - COMMIT_TOLERANCE,
    )
    first_moves = {move.session_id: move for move in moves.order_by("-pk")}
    return any(
        datetime.fromisoformat(move.payload["previous_date"]) > last_at + URGENT for move in first_moves.values()
    )
