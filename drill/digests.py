"""Whether moderators were told what waits (docs/contract.md, "Moderation"): at most once an hour, and only with news.

News is a session that was offered since they were last told, one that has come within 48 hours of its start, or one
that waits when a day has passed. A digest is missing where there is news for long and might have been told.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from drill.history import History, slack_of
from drill.records import Fact, Records

AT_MOST_EVERY = timedelta(hours=1)
URGENT = timedelta(hours=48)
AT_LEAST_EVERY = timedelta(hours=24)
# Whoever offers a session may take so long to commit.
SETTLED_AFTER = timedelta(seconds=10)
# In real seconds: workers are killed all the time.
LONG = 10

DECIDES = frozenset({"SessionApproved", "SessionRejected", "SessionCancelled", "SessionExpired", "SessionDeleted"})
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """From when until when a session waited."""

    session_id: int
    begin: datetime
    end: datetime
    start: datetime

    def waits_at(self, at: datetime, slack: timedelta) -> bool:
        return self.begin <= at and self.end >= at - slack

    def is_news_from(self, told_at: datetime, slack: timedelta) -> datetime:
        """When it became news, or will, for those who were told then."""
        if told_at == NEVER or self.begin > told_at - slack:
            return self.begin
        becomes_urgent = self.start - URGENT
        a_day_later = told_at + AT_LEAST_EVERY
        return min(becomes_urgent, a_day_later) if becomes_urgent > told_at - slack else a_day_later


def count_digests(records: Records, histories: dict[int, History]) -> list[str]:
    """In words: each digest that came too early, told no news or what did not wait, and each that did not come."""
    slack = slack_of(records)
    waited = [_waiting(history, records.ended_at) for history in histories.values()]
    sent = sorted((fact for fact in records.facts if fact.name == "SessionsWaiting"), key=lambda fact: fact.at)
    times = [NEVER, *(fact.at for fact in sent)]
    wrong: list[str] = []
    for (told_at, at), digest in zip(pairwise(times), sent, strict=True):
        wrong += _wrong_with(digest, told_at, waited, slack)
        wrong += _missing(told_at, at, waited, slack)
    return [*wrong, *_missing(times[-1], records.ended_at, waited, slack)]


def _wrong_with(digest: Fact, told_at: datetime, waited: list[Waiting], slack: timedelta) -> Iterator[str]:
    at = digest.at
    # Each notes a little later than it decides, and the one before, too.
    if told_at != NEVER and at - told_at < AT_MOST_EVERY - slack:
        yield f"digest at {at}, after {told_at}"
    waiting = [each for each in waited if each.waits_at(at, slack)]
    if not any(each.is_news_from(told_at, slack + SETTLED_AFTER) <= at for each in waiting):
        yield f"digest at {at} without news since {told_at}"
    named = {each["session_id"] for each in digest.payload["sessions"]}
    for session_id in sorted(named - {each.session_id for each in waiting}):
        yield f"digest at {at} names session {session_id}, which did not wait"


def _missing(told_at: datetime, until: datetime, waited: list[Waiting], slack: timedelta) -> Iterator[str]:
    earliest = told_at if told_at == NEVER else told_at + AT_MOST_EVERY
    for each in waited:
        # What was offered while they were told may have been in that.
        since = max(earliest, each.begin, each.is_news_from(told_at, -slack))
        if min(each.end, until) - since >= LONG * slack:
            yield f"no digest from {since} until {until}, though session {each.session_id} waited"
            return


def _waiting(history: History, ended_at: datetime) -> Waiting:
    decided = next((told.fact.at for told in history.told if told.fact.name in DECIDES), ended_at)
    return Waiting(
        session_id=history.session_id,
        begin=history.told[0].fact.at,
        end=min(decided, history.date),
        start=history.date,
    )
