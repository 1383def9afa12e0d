"""Which mails had to arrive, and which arrived too often.

A mail is wanted by whoever has a notification of a kind that they want to be mailed of, by the contract and by what
they chose, and by who has registered. It is lost if it never reached the mail server, unless it had nothing to say any
more when it was its turn:

- it was superseded, and the mail that speaks for it arrived or is itself rightly dropped;
- it was dropped, and each piece of its news had stopped being so before the end.

And it is lost, too, if it arrived without a piece of its news that has never stopped being so; unless it says that the
session does not take place, and nothing else. Of several reminders, moves and digests the last is enough, and a session
that was moved and moved back is where it was.

Mail is sent at least once: a sender that is killed between the mail server's answer and its own note sends again, with
the same Message-ID, or lets a mail with later news say it too. A repetition is right if the mail server hung up instead
of answering the first time, or if a worker was killed between the two arrivals; each kill explains one.
"""

from dataclasses import dataclass, field
from itertools import pairwise

from drill.history import History, slack_of
from drill.mail_contents import ENDS, MailContents, count_mail_contents
from drill.mail_preferences import MailPreferences
from drill.mailbox import Mailbox
from drill.records import Arrival, Fact, MailRow, Notice, Records
from drill.staleness import has_ceased

# Of several of these, the last says how things stand.
LAST_IS_ENOUGH = frozenset({"ReminderDue", "SessionRescheduled", "SessionsWaiting"})


@dataclass
class Mails:
    sent: int = 0
    dropped: int = 0
    superseded: int = 0
    arrived: int = 0
    # That a kill, or a mail server that hung up, explains.
    repeated_rightly: int = 0
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    # News, in another mail.
    told_again: list[str] = field(default_factory=list)
    said: MailContents = field(default_factory=MailContents)
    # That the delivery log does not know, or that went to somebody else.
    unaccounted: list[str] = field(default_factory=list)


def count_mails(records: Records, histories: dict[int, History]) -> Mails:
    counted = Mails(
        sent=sum(mail.status == "sent" for mail in records.mails),
        dropped=sum(mail.status == "dropped" and mail.superseded_by is None for mail in records.mails),
        superseded=sum(mail.superseded_by is not None for mail in records.mails),
        arrived=len(records.arrivals),
        said=count_mail_contents(records, histories),
    )
    _count_arrivals(records, counted)
    _count_lost(records, histories, counted)
    return counted


def _count_arrivals(records: Records, counted: Mails) -> None:
    known = {mail.message_id: mail for mail in records.mails}
    copies: dict[str, list[Arrival]] = {}
    for arrival in records.arrivals:
        mail = known.get(arrival.message_id)
        if mail is None or arrival.to != [mail.address]:
            counted.unaccounted.append(f"{arrival.message_id} to {arrival.to}: {arrival.subject}")
        copies.setdefault(arrival.message_id, []).append(arrival)
    repetitions = [pair for arrived in copies.values() for pair in pairwise(arrived)] + counted.said.told_again
    for before, again in _unexplained(repetitions, records):
        words = f"{before.message_id} at {before.at} and {again.message_id} at {again.at}"
        (counted.repeated if before.message_id == again.message_id else counted.told_again).append(words)
    counted.repeated_rightly = len(repetitions) - len(counted.repeated) - len(counted.told_again)


def _unexplained(repetitions: list[tuple[Arrival, Arrival]], records: Records) -> list[tuple[Arrival, Arrival]]:
    """Whichever has to be explained first takes the earliest kill that can explain it."""
    unexplained = []
    kills = sorted(records.kills)
    # The mail server may read a mail, and note it, when its sender is dead already.
    slack = slack_of(records)
    for before, again in sorted(repetitions, key=lambda repetition: repetition[1].at):
        if not before.answered:
            continue
        kill = next((kill for kill in kills if before.at - slack <= kill <= again.at), None)
        if kill is None:
            unexplained.append((before, again))
        else:
            kills.remove(kill)
    return unexplained


def _count_lost(records: Records, histories: dict[int, History], counted: Mails) -> None:
    mailbox, preferences = Mailbox(records, histories), MailPreferences(records)
    facts = mailbox.facts
    mails = {mail.id: mail for mail in records.mails}
    arrived: dict[str, list[Arrival]] = {}
    for arrival in records.arrivals:
        arrived.setdefault(arrival.message_id, []).append(arrival)
    # What each mail has to say, with what it says for those that it superseded.
    news: dict[int, list[Notice]] = {}
    for notice in records.notices:
        if notice.mail_id is not None:
            news.setdefault(_speaker(mails[notice.mail_id], mails).id, []).append(notice)
        elif preferences.by_mail(facts[notice.fact_id].name, notice.user_id):
            counted.lost.append(f"notification {notice.id} for member {notice.user_id} has no mail")
    for mail in records.mails:
        if mail.superseded_by is not None or is_waiting(mail):
            continue
        told = arrived.get(mail.message_id, [])
        lasting = [
            notice
            for notice in _without_earlier(news.get(mail.id, []), facts)
            if preferences.by_mail(facts[notice.fact_id].name, notice.user_id)
            and not has_ceased(facts[notice.fact_id], notice.user_id, histories)
        ]
        final = [notice for notice in lasting if facts[notice.fact_id].name in ENDS]
        untold = [notice for notice in final or lasting if not mailbox.tells(told, notice)]
        rightly_dropped = mail.status == "dropped" and mail.id in news
        if untold or not (told or rightly_dropped):
            words = "; ".join(notice.message for notice in untold)
            counted.lost.append(f"mail {mail.id} ({mail.kind}, {mail.status}) to {mail.address}: {words}")
    welcomed = {mail.address for mail in records.mails if mail.kind == "welcome"}
    registered = [deed.by_id for deed in records.deeds if deed.action == "register" and deed.outcome == "done"]
    for member in registered:
        if member is not None and records.addresses[member] not in welcomed:
            counted.lost.append(f"no welcome for member {member}")


def _without_earlier(notices: list[Notice], facts: dict[int, Fact]) -> list[Notice]:
    """What one mail has to tell, without what the last of its kind makes needless."""
    last = {facts[notice.fact_id].name: notice for notice in notices}
    moves = [facts[notice.fact_id] for notice in notices if facts[notice.fact_id].name == "SessionRescheduled"]
    if moves and moves[0].payload["previous_date"] == moves[-1].payload["date"]:
        last.pop("SessionRescheduled")
    return [
        notice
        for notice in notices
        if facts[notice.fact_id].name not in LAST_IS_ENOUGH or notice is last.get(facts[notice.fact_id].name)
    ]


def _speaker(mail: MailRow, mails: dict[int, MailRow]) -> MailRow:
    """The mail that speaks for this one in the end."""
    while mail.superseded_by is not None:
        mail = mails[mail.superseded_by]
    return mail


def is_waiting(mail: MailRow) -> bool:
    """Not lost, but not through either: counted among the rows that stand still."""
    return mail.next_try_at is not None
