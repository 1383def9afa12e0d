"""Whether creators were asked to decide: once for a start, a day before it, where somebody's request waited then."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drill.history import History, slack_of
from drill.records import Records

BEFORE = timedelta(hours=24)


@dataclass
class DecisionReminders:
    due: int = 0
    # Due and not sent, sent twice for a start, or sent where nobody waited, too early, or not for that start.
    wrong: list[str] = field(default_factory=list)


def count_decision_reminders(records: Records, histories: dict[int, History]) -> DecisionReminders:
    counted = DecisionReminders()
    slack = slack_of(records)
    for history in histories.values():
        sent: dict[datetime, int] = {}
        for told in history.told:
            if told.fact.name == "RequestsUndecided":
                start = datetime.fromisoformat(told.fact.payload["date"])
                sent[start] = sent.get(start, 0) + 1
                if not told.requesters or told.fact.at < start - BEFORE or sent[start] > 1:
                    counted.wrong.append(f"session {history.session_id}: nudged at {told.fact.at} for {start}")
        for span in history.opened:
            due_at = span.date - BEFORE
            if due_at > records.ended_at - slack or not span.lasts(due_at - slack, records.ended_at):
                continue
            waited = _waited(history, due_at - slack)
            counted.due += waited
            if waited and span.date not in sent:
                counted.wrong.append(f"session {history.session_id}: not nudged for {span.date}")
    return counted


def _waited(history: History, begin: datetime) -> bool:
    """Whether somebody's request was undecided from then on until the end."""
    later = [told.requesters for told in history.told if told.fact.at > begin]
    return bool(history.requesters.intersection(*later))
