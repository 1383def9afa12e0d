"""Whether the calendar files of the mails are right (docs/contract.md, "Mail" and "Calendars").

A file comes with news that changes something in its reader's calendar, if the session was ever in it. It asks who is in
and takes the session away from who is not, or if that does not take place; has one attendee, the reader; keeps its UID;
and its SEQUENCE never falls, and rises where it says something else. Mails that were written at about the same time may
arrive in any order, and what changed meanwhile may be either way.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from drill.history import History, Moment
from drill.mailbox import Mailbox, News
from drill.records import CalendarFile, Records
from drill.staleness import NOT_TAKING_PLACE

BRINGS_FILE = frozenset(
    {
        "BookingRequestApproved",
        "ParticipantRemoved",
        "SessionApproved",
        "SessionRescheduled",
        "SessionCancelled",
        "SessionExpired",
        "SessionDeleted",
    }
)
# A name with its parameters, of which what is quoted may hold a colon, and the value.
PROPERTY = re.compile(r'((?:[^":]|"[^"]*")*):(.*)')
EVER_APPROVED = frozenset({"approved", "scheduled", "ongoing", "completed"})


@dataclass
class FileContents:
    """By one file, once it was found to be whole."""

    news: News
    method: str
    start: str
    sequence: int


class Calendars:
    """All that were sent, compared with the histories and with each other."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.uids: dict[str, str] = {}
        self.said: dict[tuple[int, str], list[FileContents]] = {}

    def read(self, news: News, file: CalendarFile, history: History, address: str) -> None:
        lines = _lines(file.content)
        now = history.between(news.begin, news.end)
        methods = {"REQUEST" if _attends(moment, news.person) else "CANCEL" for moment in now}
        starts = {f"{moment.date:%Y%m%dT%H%M%SZ}" for moment in now}
        method, start = lines.get("METHOD", [""])[0], lines.get("DTSTART", [""])[0]
        uid, sequence = lines.get("UID", [""]), lines.get("SEQUENCE", [""])
        for is_right, words in (
            (method in methods and file.method == method, f"method {method} (part: {file.method})"),
            (start in starts, f"start {start}"),
            (lines.get("ATTENDEE") == [f"mailto:{address}"], f"attendees {lines.get('ATTENDEE')}"),
            (lines.get("BEGIN") == ["VCALENDAR", "VEVENT"], f"parts {lines.get('BEGIN')}"),
            (self.uids.setdefault(news.topic, uid[0]) == uid[0] != "", f"UID {uid}"),
            (sequence[0].isdigit(), f"SEQUENCE {sequence}"),
        ):
            if not is_right:
                self.wrong.append(f"{_in_words(news)}: {words}")
                return
        said = FileContents(news=news, method=method, start=start, sequence=int(sequence[0]))
        self.said.setdefault((news.person, news.topic), []).append(said)

    def compare(self) -> Iterator[str]:
        """What is wrong between files for one person and session, and between sessions."""
        for files in self.said.values():
            for number, later in enumerate(files):
                before = [file for file in files[:number] if file.news.end <= later.news.begin]
                if any(file.sequence > later.sequence - _says_something_else(file, later) for file in before):
                    yield f"{_in_words(later.news)}: SEQUENCE {later.sequence} after {[e.sequence for e in before]}"
        if len(set(self.uids.values())) < len(self.uids):
            yield "two sessions have the same UID"


def count_calendar_files(records: Records, histories: dict[int, History]) -> list[str]:
    """In words: each file that is wrong, is missing, or should not be there."""
    calendars = Calendars()
    mailbox = Mailbox(records, histories)
    for news in mailbox.news():
        files = news.arrival.calendars
        if news.topic == "moderation":
            continue
        history = histories[int(news.topic.partition(":")[2])]
        facts = [mailbox.facts[notice.fact_id] for line in news.lines for notice in line.notices]
        bringing = [fact.at for fact in facts if fact.name in BRINGS_FILE]
        if len(files) > 1 or (files and not _was_in(history, news.person, news.end)):
            calendars.wrong.append(f"{_in_words(news)}: {len(files)} files")
        elif files:
            calendars.read(news, files[0], history, records.addresses[news.person])
        elif bringing and _was_in(history, news.person, max(news.begin, *bringing)):
            calendars.wrong.append(f"{_in_words(news)}: no file")
    return [*calendars.wrong, *calendars.compare()]


def _attends(now: Moment, person: int) -> bool:
    return now.is_in(person) and now.status not in NOT_TAKING_PLACE


def _was_in(history: History, person: int, until: datetime) -> bool:
    """Whether the session was in their calendar by then: it is their own and was approved, or they were let in."""
    moments = [moment for moment in history.moments if moment.since <= until]
    if person == history.creator_id:
        return any(moment.status in EVER_APPROVED for moment in moments)
    return any(moment.is_in(person) for moment in moments)


def _says_something_else(before: FileContents, later: FileContents) -> bool:
    return (before.method, before.start) != (later.method, later.start)


def _lines(content: str) -> dict[str, list[str]]:
    """By each property's name, its values in order, without their parameters."""
    values: dict[str, list[str]] = {}
    for line in content.replace("\r\n ", "").splitlines():
        written = PROPERTY.fullmatch(line)
        if written is None:
            continue
        name, value = written.groups()
        values.setdefault(name.partition(";")[0].upper(), []).append(value)
    return values


def _in_words(news: News) -> str:
    return f"{news.arrival.message_id} about {news.topic} to member {news.person} at {news.arrival.at}"
