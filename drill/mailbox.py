"""What arrived, read: which pieces of news a mail tells, to whom, about which session, and when it was written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drill.history import History, slack_of
from drill.records import Arrival, Fact, Notice, Records

# Below the news.
BELOW = ("Session: ", "Open the session: ", "Look at what waits: ", "Peer Learning")
# Where there is more to tell than anybody reads.
MOST_LINES = 20
AND_MORE = re.compile(r"And \d+ more\.")
REMINDER = re.compile(r"(?P<title>.+) starts in (?P<left>.+)\.")
MINUTES_LEFT = re.compile(r"(?P<minutes>\d+) minutes?")
# A mail is written before its sender comes with it: no more than so many real seconds, even where the sender has to
# come twice, as to a mail server that hangs up.
WRITTEN_WITHIN = 3


@dataclass
class Line:
    """What one line says: all notifications of the reader, about this topic, that it may tell."""

    words: str
    notices: list[Notice]


@dataclass
class News:
    """A mail with news, as it arrived. It was written between `begin` and `end`."""

    arrival: Arrival
    person: int
    topic: str
    begin: datetime
    end: datetime
    lines: list[Line] = field(default_factory=list)


class Mailbox:
    """Everybody's, with what the drill knows of their notifications."""

    def __init__(self, records: Records, histories: dict[int, History]) -> None:
        self.records = records
        self.histories = histories
        self.facts: dict[int, Fact] = {fact.id: fact for fact in records.facts}
        self.titles = _titles(records)
        self.told: dict[tuple[int, str], list[Notice]] = {}
        for notice in records.notices:
            self.told.setdefault((notice.user_id, self.topic_of(notice)), []).append(notice)

    def news(self) -> Iterator[News]:
        """In the order in which it arrived."""
        people = {address: person for person, address in self.records.addresses.items()}
        mails = {mail.message_id: mail for mail in self.records.mails if mail.kind == "news"}
        margin = WRITTEN_WITHIN * slack_of(self.records)
        for arrival in sorted(self.records.arrivals, key=lambda arrival: arrival.at):
            mail = mails.get(arrival.message_id)
            person = people.get(arrival.to[0]) if len(arrival.to) == 1 else None
            # Else it is unaccounted for.
            if mail is not None and person is not None:
                yield self._read(arrival, person, mail.topic, margin)

    def _read(self, arrival: Arrival, person: int, topic: str, margin: timedelta) -> News:
        news = News(arrival=arrival, person=person, topic=topic, begin=arrival.begun_at - margin, end=arrival.at)
        known = [notice for notice in self.told.get((person, topic), []) if notice.at <= arrival.at]
        for words in lines_of(arrival.text):
            notices = [notice for notice in known if self.says(words, notice)]
            if notices or len(news.lines) < MOST_LINES or not AND_MORE.fullmatch(words):
                news.lines.append(Line(words=words, notices=notices))
        return news

    def topic_of(self, notice: Notice) -> str:
        session_id = self.facts[notice.fact_id].session_id
        return "moderation" if session_id is None else f"session:{session_id}"

    def says(self, words: str, notice: Notice) -> bool:
        """Whether a line says what the notification says; a reminder that has waited says how much is left then, of a
        session that may have another title."""
        fact = self.facts[notice.fact_id]
        if words in map(_one_line, notice.message.splitlines()):
            return True
        reminder = REMINDER.fullmatch(words) if fact.name == "ReminderDue" else None
        if reminder is None or reminder["title"] not in self.titles[fact.session_id or 0]:
            return False
        minutes = MINUTES_LEFT.fullmatch(reminder["left"])
        return minutes is None or int(minutes["minutes"]) <= fact.payload["minutes_before"]

    def tells(self, arrivals: list[Arrival], notice: Notice) -> bool:
        """Whether these say all of what the notification says."""
        told = [words for arrival in arrivals for words in lines_of(arrival.text)]
        if self.facts[notice.fact_id].name == "ReminderDue":
            return any(self.says(words, notice) for words in told)
        return all(_one_line(words) in told for words in notice.message.splitlines())


def lines_of(text: str) -> list[str]:
    """The news of a mail, a line each: what is between its greeting and what holds of the session now."""
    lines = [_one_line(line) for line in text.splitlines()[1:]]
    end = next((number for number, line in enumerate(lines) if line.startswith(BELOW)), len(lines))
    return [line for line in lines[:end] if line]


def _titles(records: Records) -> dict[int, set[str]]:
    """All that each session was ever called."""
    titles: dict[int, set[str]] = {}
    for fact in records.facts:
        if fact.session_id is not None:
            called = [fact.payload.get("title", ""), *fact.changes.get("title", [])]
            titles.setdefault(fact.session_id, set()).update(map(_one_line, called))
    return titles


def _one_line(text: str) -> str:
    return " ".join(text.split())
