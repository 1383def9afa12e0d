"""Which reminders had to come, which could, and which must not have.

A start and an offset have a *due instant* (the start, less the offset) and a *window*: from the due instant until that
of the next smaller offset, or the start. A reminder belongs to one person, one start and one offset.

- **Due** (it has to be sent, once, within its window): the session was open with that start from before the due
  instant until the end of the window, and the person, if they are not its creator, was in all that while.
- **Possible** (sent or not, both are right): at the moment of sending the session is open with that start and has been
  since before the due instant, the person is in and has been since then, and the window is not over; but one of these
  ends before the window does, so that a worker that came a little later had nothing to send any more. What was
  decided before the due instant and noted after it is possible, too: of a member's deed both are known exactly.
- **Wrong** is every other. Whether the session was closed or moved, and whether the person was in, is judged by the
  order of facts, to the letter. Only a sweep may note `slack` after the end of a window what it decided within.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drill.history import History, slack_of
from drill.records import Fact, Notice, Records

Reminder = tuple[int, int, datetime, int]


@dataclass
class Reminders:
    """What was counted. A reminder is (session, person, start, offset); the lists are in words."""

    due: set[Reminder] = field(default_factory=set)
    sent: int = 0
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    # Though it was cancelled, had begun, or no longer began then.
    after_a_change: list[str] = field(default_factory=list)
    after_the_start: list[str] = field(default_factory=list)
    to_outsiders: list[str] = field(default_factory=list)
    # Too early, or when the next was due already, or for a start that was set after the due instant.
    out_of_time: list[str] = field(default_factory=list)
    latest: timedelta = timedelta(0)


class Windows:
    """From the due instant of an offset until the next one's, or the start; `slack` is what instants may differ by."""

    def __init__(self, records: Records) -> None:
        self.offsets = sorted(records.offsets, reverse=True)
        self.slack = slack_of(records)
        self.ended_at = records.ended_at

    def of(self, start: datetime, offset: int) -> tuple[datetime, datetime]:
        smaller = max((other for other in self.offsets if other < offset), default=0)
        return start - timedelta(minutes=offset), start - timedelta(minutes=smaller)


def count_reminders(records: Records, histories: dict[int, History]) -> Reminders:
    counted = Reminders()
    windows = Windows(records)
    for history in histories.values():
        counted.due |= set(_due(history, windows))
    facts = {fact.id: fact for fact in records.facts if fact.name == "ReminderDue"}
    sent: dict[Reminder, int] = {}
    for notice in records.notices:
        fact = facts.get(notice.fact_id)
        if fact is None or fact.session_id is None:
            continue
        reminder = _reminder_of(fact, notice)
        sent[reminder] = sent.get(reminder, 0) + 1
        if sent[reminder] == 1:
            _judge(counted, fact, notice, histories[fact.session_id], windows)
    counted.sent = sum(sent.values())
    counted.missing = [_in_words(reminder) for reminder in sorted(counted.due) if reminder not in sent]
    counted.doubled = [_in_words(reminder) for reminder, times in sent.items() for _ in range(times - 1)]
    return counted


def _due(history: History, windows: Windows) -> Iterator[Reminder]:
    for span in history.opened:
        for offset in windows.offsets:
            begin, end = windows.of(span.date, offset)
            if end > windows.ended_at or not span.lasts(begin, end):
                continue
            yield history.session_id, history.creator_id, span.date, offset
            for member, seats in history.seats.items():
                if any(seat.lasts(begin, end) for seat in seats):
                    yield history.session_id, member, span.date, offset


def _judge(counted: Reminders, fact: Fact, notice: Notice, history: History, windows: Windows) -> None:
    """Put a reminder that was sent where it belongs if it is wrong: in one list alone."""
    reminder = _reminder_of(fact, notice)
    _, person, start, offset = reminder
    begin, end = windows.of(start, offset)
    words = f"{_in_words(reminder)}, sent at {fact.at}"
    span = next((span for span in history.opened if span.date == start and span.holds_at(fact)), None)
    seat = next((seat for seat in history.seats.get(person, []) if seat.holds_at(fact)), None)
    since = [each.not_before for each in (span, seat) if each is not None]
    if span is None:
        counted.after_a_change.append(words)
    elif notice.at >= start + windows.slack:
        counted.after_the_start.append(words)
    elif person != history.creator_id and seat is None:
        counted.to_outsiders.append(words)
    elif fact.at < begin or fact.at >= end + windows.slack or max(since) > begin:
        counted.out_of_time.append(words)
    else:
        counted.latest = max(counted.latest, notice.at - begin)


def _reminder_of(fact: Fact, notice: Notice) -> Reminder:
    start = datetime.fromisoformat(fact.payload["date"])
    return fact.session_id or 0, notice.user_id, start, int(fact.payload["minutes_before"])


def _in_words(reminder: Reminder) -> str:
    session, person, start, offset = reminder
    return f"session {session}, member {person}, {offset} minutes before {start}"
