"""Which reminders had to be sent, which were allowed, and which must not have been sent.

A start and an offset have a *due time* (the start, less the offset) and a *window*: from the due time until that of the
next smaller offset, or the start. A reminder belongs to one person, one start and one offset.

- **Due** (it has to be sent, once, within its window): the session was open with that start from before the due time
  until the end of the window, and the person, if not its creator, took part all that time.
- **Allowed** (sent or not, both are right): when it is sent the session is open with that start and has been since
  before the due time, the person takes part and has done so since then, and the window is not over; but one of these
  ends before the window does, so that a worker that came a little later had nothing to send. What was decided before
  the due time and recorded after it is allowed, too: of a member's action both times are known.
- **Wrong** is every other. Whether the session was closed or rescheduled, and whether the person took part, is judged
  strictly by the order of facts. Only a periodic job may record within `slack` after the end of a window what it
  decided within it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drill.history import History
from drill.records import Fact, NotificationRow, Records

Reminder = tuple[int, int, datetime, int]


@dataclass
class ReminderCounts:
    """A reminder is (session, person, start, offset); the other lists hold descriptions."""

    due: set[Reminder] = field(default_factory=set)
    sent: int = 0
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    # The session was cancelled, had started or was rescheduled.
    after_a_change: list[str] = field(default_factory=list)
    after_the_start: list[str] = field(default_factory=list)
    to_non_participants: list[str] = field(default_factory=list)
    # Too early, when the next one was due, or for a start that was set after the due time.
    outside_window: list[str] = field(default_factory=list)
    latest: timedelta = timedelta(0)


class Windows:
    def __init__(self, records: Records) -> None:
        self.offsets = sorted(records.offsets, reverse=True)
        self.slack = records.slack
        self.ended_at = records.ended_at

    def compute(self, start: datetime, offset: int) -> tuple[datetime, datetime]:
        """Return the due time and the end of the window."""
        smaller = max((other for other in self.offsets if other < offset), default=0)
        return start - timedelta(minutes=offset), start - timedelta(minutes=smaller)


def count_reminders(records: Records, histories: dict[int, History]) -> ReminderCounts:
    counts = ReminderCounts()
    windows = Windows(records)
    for history in histories.values():
        counts.due |= set(_list_due(history, windows))
    facts = {fact.id: fact for fact in records.facts if fact.name == "ReminderDue"}
    sent: dict[Reminder, int] = {}
    for notification in records.notifications:
        fact = facts.get(notification.fact_id)
        if fact is None or fact.session_id is None:
            continue
        reminder = _build_reminder(fact, notification)
        sent[reminder] = sent.get(reminder, 0) + 1
        if sent[reminder] == 1:
            _classify(counts, fact, notification, histories[fact.session_id], windows)
    counts.sent = sum(sent.values())
    counts.missing = [_describe(reminder) for reminder in sorted(counts.due) if reminder not in sent]
    counts.doubled = [_describe(reminder) for reminder, times in sent.items() for _ in range(times - 1)]
    return counts


def _list_due(history: History, windows: Windows) -> Iterator[Reminder]:
    for span in history.opened:
        for offset in windows.offsets:
            begin, end = windows.compute(span.date, offset)
            if end > windows.ended_at or not span.lasts(begin, end):
                continue
            yield history.session_id, history.creator_id, span.date, offset
            for member, seats in history.seats.items():
                if any(seat.lasts(begin, end) for seat in seats):
                    yield history.session_id, member, span.date, offset


def _classify(
    counts: ReminderCounts, fact: Fact, notification: NotificationRow, history: History, windows: Windows
) -> None:
    """Add a reminder that is wrong to exactly one list."""
    reminder = _build_reminder(fact, notification)
    _, person, start, offset = reminder
    begin, end = windows.compute(start, offset)
    description = f"{_describe(reminder)}, sent at {fact.at}"
    span = next((span for span in history.opened if span.date == start and span.holds_at(fact)), None)
    seat = next((seat for seat in history.seats.get(person, []) if seat.holds_at(fact)), None)
    since = [each.not_before for each in (span, seat) if each is not None]
    if span is None:
        counts.after_a_change.append(description)
    elif notification.at >= start + windows.slack:
        counts.after_the_start.append(description)
    elif person != history.creator_id and seat is None:
        counts.to_non_participants.append(description)
    elif fact.at < begin or fact.at >= end + windows.slack or max(since) > begin:
        counts.outside_window.append(description)
    else:
        counts.latest = max(counts.latest, notification.at - begin)


def _build_reminder(fact: Fact, notification: NotificationRow) -> Reminder:
    start = datetime.fromisoformat(fact.payload["date"])
    return fact.session_id or 0, notification.user_id, start, int(fact.payload["minutes_before"])


def _describe(reminder: Reminder) -> str:
    session, person, start, offset = reminder
    return f"session {session}, member {person}, {offset} minutes before {start}"
