"""Nudges: creators are reminded once for each start, a day before it, of booking requests that are pending then."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drill.history import History
from drill.records import Records

BEFORE_START = timedelta(hours=24)


@dataclass
class NudgeCounts:
    due: int = 0
    # Missing, repeated for a start, too early, or without a pending request.
    wrong: list[str] = field(default_factory=list)


def count_nudges(records: Records, histories: dict[int, History]) -> NudgeCounts:
    counts = NudgeCounts()
    slack = records.slack
    for history in histories.values():
        sent: dict[datetime, int] = {}
        for published in history.facts:
            if published.fact.name == "RequestsUndecided":
                start = datetime.fromisoformat(published.fact.payload["date"])
                sent[start] = sent.get(start, 0) + 1
                if not published.requesters or published.fact.at < start - BEFORE_START or sent[start] > 1:
                    counts.wrong.append(f"session {history.session_id}: nudged at {published.fact.at} for {start}")
        for span in history.opened:
            due_at = span.date - BEFORE_START
            if due_at > records.ended_at - slack or not span.lasts(due_at - slack, records.ended_at):
                continue
            is_due = _has_pending_request(history, due_at - slack)
            counts.due += is_due
            if is_due and span.date not in sent:
                counts.wrong.append(f"session {history.session_id}: not nudged for {span.date}")
    return counts


def _has_pending_request(history: History, since: datetime) -> bool:
    """Whether one request was pending from then until the end."""
    later = [published.requesters for published in history.facts if published.fact.at > since]
    return bool(history.requesters.intersection(*later))
