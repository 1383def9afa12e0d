"""The calendar files of mails (docs/contract.md, "Mail" and "Calendars").

A mail has a file if its news changes an event in its reader's calendar. The method is REQUEST for the creator and for
participants, and CANCEL for others, or if the session does not take place. The only attendee is the reader. The UID
stays, and SEQUENCE never decreases, and increases with each change. Mails that were rendered at about the same time may
arrive in any order, and what changed meanwhile may be in either state.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from drill.history import History, Snapshot
from drill.mailbox import Mailbox, NewsMail
from drill.records import CalendarFile, Records
from drill.staleness import NOT_TAKING_PLACE

FACTS_WITH_FILE = frozenset(
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
# The name with its parameters, whose quoted values may have colons, and the value.
PROPERTY = re.compile(r'((?:[^":]|"[^"]*")*):(.*)')
EVER_APPROVED = frozenset({"approved", "scheduled", "ongoing", "completed"})


@dataclass
class FileContents:
    """What a valid file says."""

    news: NewsMail
    method: str
    start: str
    sequence: int


class CalendarFileChecker:
    """Checks files against the histories and against each other."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        # By topic.
        self.uids: dict[str, str] = {}
        # By reader and topic, in the order of arrival.
        self.checked: dict[tuple[int, str], list[FileContents]] = {}

    def check(self, news: NewsMail, file: CalendarFile, history: History, address: str) -> None:
        lines = _parse_properties(file.content)
        now = history.list_snapshots_between(news.begin, news.end)
        methods = {"REQUEST" if _has_in_calendar(snapshot, news.person) else "CANCEL" for snapshot in now}
        starts = {f"{snapshot.date:%Y%m%dT%H%M%SZ}" for snapshot in now}
        method, start = lines.get("METHOD", [""])[0], lines.get("DTSTART", [""])[0]
        uid, sequence = lines.get("UID", [""]), lines.get("SEQUENCE", [""])
        for is_right, description in (
            (method in methods and file.method == method, f"method {method} (part: {file.method})"),
            (start in starts, f"start {start}"),
            (lines.get("ATTENDEE") == [f"mailto:{address}"], f"attendees {lines.get('ATTENDEE')}"),
            (lines.get("BEGIN") == ["VCALENDAR", "VEVENT"], f"parts {lines.get('BEGIN')}"),
            (self.uids.setdefault(news.topic, uid[0]) == uid[0] != "", f"UID {uid}"),
            (sequence[0].isdigit(), f"SEQUENCE {sequence}"),
        ):
            if not is_right:
                self.wrong.append(f"{_describe(news)}: {description}")
                return
        contents = FileContents(news=news, method=method, start=start, sequence=int(sequence[0]))
        self.checked.setdefault((news.person, news.topic), []).append(contents)

    def compare(self) -> Iterator[str]:
        """Describe wrong sequences of the files for one person and session, and UIDs that two sessions share."""
        for files in self.checked.values():
            for number, later in enumerate(files):
                before = [file for file in files[:number] if file.news.end <= later.news.begin]
                if any(file.sequence > later.sequence - _is_changed(file, later) for file in before):
                    yield f"{_describe(later.news)}: SEQUENCE {later.sequence} after {[e.sequence for e in before]}"
        if len(set(self.uids.values())) < len(self.uids):
            yield "two sessions have the same UID"


def count_calendar_files(records: Records, histories: dict[int, History]) -> list[str]:
    """Describe each file that is wrong, missing or unexpected."""
    checker = CalendarFileChecker()
    mailbox = Mailbox(records, histories)
    for news in mailbox.parse_news_mails():
        files = news.arrival.calendars
        if news.topic == "moderation":
            continue
        history = histories[int(news.topic.partition(":")[2])]
        facts = [mailbox.facts[notification.fact_id] for line in news.lines for notification in line.notifications]
        with_file = [fact.at for fact in facts if fact.name in FACTS_WITH_FILE]
        if len(files) > 1 or (files and not _had_in_calendar(history, news.person, news.end)):
            checker.wrong.append(f"{_describe(news)}: {len(files)} files")
        elif files:
            checker.check(news, files[0], history, records.addresses[news.person])
        elif with_file and _had_in_calendar(history, news.person, max(news.begin, *with_file)):
            checker.wrong.append(f"{_describe(news)}: no file")
    return [*checker.wrong, *checker.compare()]


def _has_in_calendar(now: Snapshot, person: int) -> bool:
    return now.takes_part(person) and now.status not in NOT_TAKING_PLACE


def _had_in_calendar(history: History, person: int, until: datetime) -> bool:
    """Whether the session was in their calendar by then: as the creator of an approved one, or as a participant."""
    snapshots = [snapshot for snapshot in history.snapshots if snapshot.since <= until]
    if person == history.creator_id:
        return any(snapshot.status in EVER_APPROVED for snapshot in snapshots)
    return any(snapshot.takes_part(person) for snapshot in snapshots)


def _is_changed(before: FileContents, later: FileContents) -> bool:
    return (before.method, before.start) != (later.method, later.start)


def _parse_properties(content: str) -> dict[str, list[str]]:
    """Return the values of each property by its name, in order, without parameters."""
    values: dict[str, list[str]] = {}
    for line in content.replace("\r\n ", "").splitlines():
        match = PROPERTY.fullmatch(line)
        if match is None:
            continue
        name, value = match.groups()
        values.setdefault(name.partition(";")[0].upper(), []).append(value)
    return values


def _describe(news: NewsMail) -> str:
    return f"{news.arrival.message_id} about {news.topic} to member {news.person} at {news.arrival.at}"
