"""The contents of the mails that arrived.

Each line of news has to come from a notification of its reader about the topic of the mail.

- **Unknown**: a line that comes from none.
- **Unwanted**: a line of a kind that the reader does not want by mail.
- **Stale**: a line that clearly no longer held when the mail was rendered, or a line beside a cancellation, which has
  to be all that its mail says. A line that ceased to hold around that time is no error.
- **Repeated**: a line in more mails than it has notifications.
"""

from dataclasses import dataclass, field

from drill.history import History
from drill.mail_preferences import MailPreferences
from drill.mailbox import Line, Mailbox, NewsMail
from drill.records import Arrival, Records
from drill.staleness import is_stale

# Facts after which a session does not take place.
ENDS = frozenset({"SessionCancelled", "SessionExpired", "SessionDeleted"})


@dataclass
class ContentCounts:
    unknown: list[str] = field(default_factory=list)
    unwanted: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    # The last arrival of the earlier mail, and the first of the later one.
    repeated: list[tuple[Arrival, Arrival]] = field(default_factory=list)


def count_mail_contents(records: Records, histories: dict[int, History]) -> ContentCounts:
    counts = ContentCounts()
    mailbox = Mailbox(records, histories)
    preferences = MailPreferences(records)
    arrived = list(mailbox.parse_news_mails())
    for news in arrived:
        for line in news.lines:
            _classify(counts, news, line, mailbox, preferences)
        names = [
            {mailbox.facts[notification.fact_id].name for notification in line.notifications} for line in news.lines
        ]
        if any(name and name <= ENDS for name in names):
            beside = [line for line, name in zip(news.lines, names, strict=True) if name and not name & ENDS]
            counts.stale += [_describe(news, line) for line in beside]
    counts.repeated = _find_repeated(arrived, mailbox)
    return counts


def _classify(
    counts: ContentCounts, news: NewsMail, line: Line, mailbox: Mailbox, preferences: MailPreferences
) -> None:
    """Add a line that is wrong to exactly one list."""
    facts = [mailbox.facts[notification.fact_id] for notification in line.notifications]
    if not facts:
        counts.unknown.append(_describe(news, line))
    elif not any(preferences.is_mailed(fact.name, news.person) for fact in facts):
        counts.unwanted.append(_describe(news, line))
    elif all(is_stale(fact, news.person, mailbox.histories, news.begin, news.end) for fact in facts):
        counts.stale.append(_describe(news, line))


def _find_repeated(arrived: list[NewsMail], mailbox: Mailbox) -> list[tuple[Arrival, Arrival]]:
    last: dict[str, Arrival] = {}
    # The ids of the mails with a line, in order, by reader, topic and line.
    mails_by_line: dict[tuple[int, str, str], list[str]] = {}
    pairs: dict[tuple[str, str], tuple[Arrival, Arrival]] = {}
    for news in arrived:
        message_id = news.arrival.message_id
        for line in news.lines:
            mails = mails_by_line.setdefault((news.person, news.topic, _build_line_key(line, mailbox)), [])
            if not line.notifications or message_id in mails:
                continue
            mails.append(message_id)
            if len(mails) > len(line.notifications):
                pairs.setdefault((mails[-2], message_id), (last[mails[-2]], news.arrival))
        last[message_id] = news.arrival
    return list(pairs.values())


def _build_line_key(line: Line, mailbox: Mailbox) -> str:
    """Return the same key for all reminders, whose lines differ by the minutes that are left."""
    names = {mailbox.facts[notification.fact_id].name for notification in line.notifications}
    return "a reminder" if names == {"ReminderDue"} else line.text


def _describe(news: NewsMail, line: Line) -> str:
    return f"{news.arrival.message_id} to member {news.person} at {news.arrival.at} says: {line.text}"
