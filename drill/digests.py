"""Digests for moderators (docs/contract.md, "Moderation"): sent at most once an hour, and only with news.

A session that waits for approval is news if it was offered since the last digest, has come within 48 hours of its
start since, or still waits a day after the last digest. A digest is missing if there was news for long enough without
one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from drill.history import History
from drill.records import Fact, Records

AT_MOST_EVERY = timedelta(hours=1)
URGENT = timedelta(hours=48)
AT_LEAST_EVERY = timedelta(hours=24)
# Between an offer and its commit.
MAX_COMMIT_DELAY = timedelta(seconds=10)
# In real seconds: killed workers delay a digest.
MISSING_AFTER = 10

DECISIONS = frozenset({"SessionApproved", "SessionRejected", "SessionCancelled", "SessionExpired", "SessionDeleted"})
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class PendingSession:
    """A session with the time in which it waited for approval."""

    session_id: int
    begin: datetime
    end: datetime
    start: datetime

    def is_pending_at(self, at: datetime, slack: timedelta) -> bool:
        return self.begin <= at and self.end >= at - slack

    def find_news_time(self, last_digest: datetime, slack: timedelta) -> datetime:
        """Return when the session becomes news after that digest."""
        if last_digest == NEVER or self.begin > last_digest - slack:
            return self.begin
        becomes_urgent = self.start - URGENT
        a_day_later = last_digest + AT_LEAST_EVERY
        return min(becomes_urgent, a_day_later) if becomes_urgent > last_digest - slack else a_day_later


def count_digests(records: Records, histories: dict[int, History]) -> list[str]:
    """Describe each digest that is missing, was too early, had no news or named a session that did not wait."""
    slack = records.slack
    pending = [_build_pending_session(history, records.ended_at) for history in histories.values()]
    sent = sorted((fact for fact in records.facts if fact.name == "SessionsWaiting"), key=lambda fact: fact.at)
    times = [NEVER, *(fact.at for fact in sent)]
    wrong: list[str] = []
    for (last_digest, at), digest in zip(pairwise(times), sent, strict=True):
        wrong += _check_digest(digest, last_digest, pending, slack)
        wrong += _find_missing(last_digest, at, pending, slack)
    return [*wrong, *_find_missing(times[-1], records.ended_at, pending, slack)]


def _check_digest(
    digest: Fact, last_digest: datetime, pending: list[PendingSession], slack: timedelta
) -> Iterator[str]:
    at = digest.at
    # Both are recorded a little later than they are decided.
    if last_digest != NEVER and at - last_digest < AT_MOST_EVERY - slack:
        yield f"digest at {at}, after {last_digest}"
    waiting = [session for session in pending if session.is_pending_at(at, slack)]
    if not any(session.find_news_time(last_digest, slack + MAX_COMMIT_DELAY) <= at for session in waiting):
        yield f"digest at {at} without news since {last_digest}"
    named = {session["session_id"] for session in digest.payload["sessions"]}
    for session_id in sorted(named - {session.session_id for session in waiting}):
        yield f"digest at {at} names session {session_id}, which did not wait"


def _find_missing(
    last_digest: datetime, until: datetime, pending: list[PendingSession], slack: timedelta
) -> Iterator[str]:
    earliest = last_digest if last_digest == NEVER else last_digest + AT_MOST_EVERY
    for session in pending:
        # A session that was offered during the last digest may have been in it.
        since = max(earliest, session.begin, session.find_news_time(last_digest, -slack))
        if min(session.end, until) - since >= MISSING_AFTER * slack:
            yield f"no digest from {since} until {until}, though session {session.session_id} waited"
            return


def _build_pending_session(history: History, ended_at: datetime) -> PendingSession:
    decided = next((published.fact.at for published in history.facts if published.fact.name in DECISIONS), ended_at)
    return PendingSession(
        session_id=history.session_id,
        begin=history.facts[0].fact.at,
        end=min(decided, history.date),
        start=history.date,
    )
