"""Whether the mails that arrived were right to say what they say.

Each line of news has to be one that the drill knows of: a notification of its reader about this topic.

- **Untrue** is a line that none of these says.
- **Unwanted** is one of a kind that its reader does not want to be mailed of.
- **Stale** is one that clearly held no longer when the mail was written, and one beside a cancellation, which is all
  that its mail says. What ceased around that time may be said.
- **Told again** is one that has been told in another mail before, more often than there is news to tell.
"""

from dataclasses import dataclass, field

from drill.history import History
from drill.mail_preferences import MailPreferences
from drill.mailbox import Line, Mailbox, News
from drill.records import Arrival, Records
from drill.staleness import is_stale

# These say that a session does not take place.
ENDS = frozenset({"SessionCancelled", "SessionExpired", "SessionDeleted"})


@dataclass
class MailContents:
    untrue: list[str] = field(default_factory=list)
    unwanted: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    # Of one mail after another: the last arrival of the one, and the first of the other.
    told_again: list[tuple[Arrival, Arrival]] = field(default_factory=list)


def count_mail_contents(records: Records, histories: dict[int, History]) -> MailContents:
    counted = MailContents()
    mailbox = Mailbox(records, histories)
    preferences = MailPreferences(records)
    arrived = list(mailbox.news())
    for news in arrived:
        for line in news.lines:
            _judge(counted, news, line, mailbox, preferences)
        names = [{mailbox.facts[notice.fact_id].name for notice in line.notices} for line in news.lines]
        if any(name and name <= ENDS for name in names):
            beside = [line for line, name in zip(news.lines, names, strict=True) if name and not name & ENDS]
            counted.stale += [_in_words(news, line) for line in beside]
    counted.told_again = _told_again(arrived, mailbox)
    return counted


def _judge(counted: MailContents, news: News, line: Line, mailbox: Mailbox, preferences: MailPreferences) -> None:
    """Put a line where it belongs if it is wrong: in one list alone."""
    facts = [mailbox.facts[notice.fact_id] for notice in line.notices]
    if not facts:
        counted.untrue.append(_in_words(news, line))
    elif not any(preferences.by_mail(fact.name, news.person) for fact in facts):
        counted.unwanted.append(_in_words(news, line))
    elif all(is_stale(fact, news.person, mailbox.histories, news.begin, news.end) for fact in facts):
        counted.stale.append(_in_words(news, line))


def _told_again(arrived: list[News], mailbox: Mailbox) -> list[tuple[Arrival, Arrival]]:
    last: dict[str, Arrival] = {}
    # By what is told to whom: the mails that told it, in order.
    told: dict[tuple[int, str, str], list[str]] = {}
    pairs: dict[tuple[str, str], tuple[Arrival, Arrival]] = {}
    for news in arrived:
        message_id = news.arrival.message_id
        for line in news.lines:
            mails = told.setdefault((news.person, news.topic, _gist(line, mailbox)), [])
            if not line.notices or message_id in mails:
                continue
            mails.append(message_id)
            if len(mails) > len(line.notices):
                pairs.setdefault((mails[-2], message_id), (last[mails[-2]], news.arrival))
        last[message_id] = news.arrival
    return list(pairs.values())


def _gist(line: Line, mailbox: Mailbox) -> str:
    """The same for all that may tell the same news: how much is left until a start changes."""
    names = {mailbox.facts[notice.fact_id].name for notice in line.notices}
    return "a reminder" if names == {"ReminderDue"} else line.words


def _in_words(news: News, line: Line) -> str:
    return f"{news.arrival.message_id} to member {news.person} at {news.arrival.at} says: {line.words}"
