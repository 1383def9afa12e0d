"""The mails with news that arrived, parsed: which notifications each line may come from, and when it was rendered."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drill.history import History
from drill.records import Arrival, Fact, NotificationRow, Records

# How the lines below the news begin.
FOOTER_PREFIXES = ("Session: ", "Open the session: ", "Look at what waits: ", "Peer Learning")
# A mail with more news than that ends with `AND_MORE`.
MAX_LINES = 20
AND_MORE = re.compile(r"And \d+ more\.")
REMINDER = re.compile(r"(?P<title>.+) starts in (?P<left>.+)\.")
MINUTES_LEFT = re.compile(r"(?P<minutes>\d+) minutes?")
# The most real seconds between the rendering of a mail and its sender's MAIL FROM. A sender connects a second time if
# the mail server hangs up.
MAX_SECONDS_SINCE_RENDERING = 3


@dataclass
class Line:
    """A line with all notifications of the reader about the topic that it may come from."""

    text: str
    notifications: list[NotificationRow]


@dataclass
class NewsMail:
    """A mail with news. It was rendered between `begin` and `end`."""

    arrival: Arrival
    person: int
    topic: str
    begin: datetime
    end: datetime
    lines: list[Line] = field(default_factory=list)


class Mailbox:
    """The mails of all members, matched with their notifications."""

    def __init__(self, records: Records, histories: dict[int, History]) -> None:
        self.records = records
        self.histories = histories
        self.facts: dict[int, Fact] = {fact.id: fact for fact in records.facts}
        self.titles = _collect_titles(records)
        # By reader and topic.
        self.notifications: dict[tuple[int, str], list[NotificationRow]] = {}
        for notification in records.notifications:
            key = notification.user_id, self.get_topic(notification)
            self.notifications.setdefault(key, []).append(notification)

    def parse_news_mails(self) -> Iterator[NewsMail]:
        """Parse the mails with news, in the order in which they arrived; mails that nobody was to get are left out."""
        people = {address: person for person, address in self.records.addresses.items()}
        mails = {mail.message_id: mail for mail in self.records.mails if mail.kind == "news"}
        margin = MAX_SECONDS_SINCE_RENDERING * self.records.slack
        for arrival in sorted(self.records.arrivals, key=lambda arrival: arrival.at):
            mail = mails.get(arrival.message_id)
            person = people.get(arrival.to[0]) if len(arrival.to) == 1 else None
            if mail is not None and person is not None:
                yield self._parse(arrival, person, mail.topic, margin)

    def _parse(self, arrival: Arrival, person: int, topic: str, margin: timedelta) -> NewsMail:
        news = NewsMail(arrival=arrival, person=person, topic=topic, begin=arrival.begun_at - margin, end=arrival.at)
        earlier = [each for each in self.notifications.get((person, topic), []) if each.at <= arrival.at]
        for text in extract_news_lines(arrival.text):
            notifications = [notification for notification in earlier if self.is_line_from(text, notification)]
            if notifications or len(news.lines) < MAX_LINES or not AND_MORE.fullmatch(text):
                news.lines.append(Line(text=text, notifications=notifications))
        return news

    def get_topic(self, notification: NotificationRow) -> str:
        session_id = self.facts[notification.fact_id].session_id
        return "moderation" if session_id is None else f"session:{session_id}"

    def is_line_from(self, text: str, notification: NotificationRow) -> bool:
        """Whether a line has the text of the notification.

        A reminder that was sent late names the minutes that are left then, and the title may have changed since.
        """
        fact = self.facts[notification.fact_id]
        if text in map(_fold_blanks, notification.message.splitlines()):
            return True
        reminder = REMINDER.fullmatch(text) if fact.name == "ReminderDue" else None
        if reminder is None or reminder["title"] not in self.titles[fact.session_id or 0]:
            return False
        minutes = MINUTES_LEFT.fullmatch(reminder["left"])
        return minutes is None or int(minutes["minutes"]) <= fact.payload["minutes_before"]

    def is_contained_in(self, arrivals: list[Arrival], notification: NotificationRow) -> bool:
        """Whether these mails have all lines of the notification."""
        lines = [text for arrival in arrivals for text in extract_news_lines(arrival.text)]
        if self.facts[notification.fact_id].name == "ReminderDue":
            return any(self.is_line_from(text, notification) for text in lines)
        return all(_fold_blanks(text) in lines for text in notification.message.splitlines())


def extract_news_lines(text: str) -> list[str]:
    """Return the lines between the greeting and the footer of a mail."""
    lines = [_fold_blanks(line) for line in text.splitlines()[1:]]
    end = next((number for number, line in enumerate(lines) if line.startswith(FOOTER_PREFIXES)), len(lines))
    return [line for line in lines[:end] if line]


def _collect_titles(records: Records) -> dict[int, set[str]]:
    """Return all titles that each session has had."""
    titles: dict[int, set[str]] = {}
    for fact in records.facts:
        if fact.session_id is not None:
            found = [fact.payload.get("title", ""), *fact.changes.get("title", [])]
            titles.setdefault(fact.session_id, set()).update(map(_fold_blanks, found))
    return titles


def _fold_blanks(text: str) -> str:
    return " ".join(text.split())
