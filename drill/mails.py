"""Which mails had to arrive, and which arrived more often than allowed.

Expected is a mail for each notification of a kind that its reader wants by mail (by the contract and their
preferences), and for each registration. A mail is lost if it never reached the mail server, unless it was rightly not
sent:

- it was superseded, and the mail that superseded it arrived or was itself rightly dropped;
- it was dropped, and each of its notifications had ceased to hold before the end.

A mail is also lost if it arrived without one of its notifications that never ceased to hold; unless it says that the
session does not take place, and nothing else. Of several reminders, reschedulings and digests the last one suffices,
and a session that was rescheduled and moved back has no new start to tell of.

Delivery is at least once: a sender that is killed between the reply of the mail server and its own commit sends again,
with the same Message-ID, or a mail with later news repeats the lines. A repetition is right if the mail server hung up
instead of replying the first time, or if a worker was killed between the two arrivals; each kill explains one.
"""

from dataclasses import dataclass, field
from itertools import pairwise

from drill.history import History
from drill.mail_contents import ENDS, ContentCounts, count_mail_contents
from drill.mail_preferences import MailPreferences
from drill.mailbox import Mailbox
from drill.records import Arrival, Fact, MailRow, NotificationRow, Records
from drill.staleness import may_be_dropped

LAST_ONE_SUFFICES = frozenset({"ReminderDue", "SessionRescheduled", "SessionsWaiting"})


@dataclass
class MailCounts:
    sent: int = 0
    dropped: int = 0
    superseded: int = 0
    arrived: int = 0
    # Repetitions that a kill or a hang-up explains.
    explained_repetitions: int = 0
    lost: list[str] = field(default_factory=list)
    # With the same Message-ID.
    repeated: list[str] = field(default_factory=list)
    # News, in another mail.
    repeated_news: list[str] = field(default_factory=list)
    contents: ContentCounts = field(default_factory=ContentCounts)
    # Not in the delivery log, or sent to another address.
    unknown: list[str] = field(default_factory=list)


def count_mails(records: Records, histories: dict[int, History]) -> MailCounts:
    counts = MailCounts(
        sent=sum(mail.status == "sent" for mail in records.mails),
        dropped=sum(mail.status == "dropped" and mail.superseded_by is None for mail in records.mails),
        superseded=sum(mail.superseded_by is not None for mail in records.mails),
        arrived=len(records.arrivals),
        contents=count_mail_contents(records, histories),
    )
    _count_arrivals(records, counts)
    _count_lost_news(records, histories, counts)
    _count_lost_welcomes(records, counts)
    return counts


def _count_arrivals(records: Records, counts: MailCounts) -> None:
    mails = {mail.message_id: mail for mail in records.mails}
    for arrival in records.arrivals:
        mail = mails.get(arrival.message_id)
        if mail is None or arrival.to != [mail.address]:
            counts.unknown.append(f"{arrival.message_id} to {arrival.to}: {arrival.subject}")
    copies = _group_by_message_id(records.arrivals).values()
    repetitions = [pair for arrivals in copies for pair in pairwise(arrivals)] + counts.contents.repeated
    for before, again in _find_unexplained(repetitions, records):
        description = f"{before.message_id} at {before.at} and {again.message_id} at {again.at}"
        (counts.repeated if before.message_id == again.message_id else counts.repeated_news).append(description)
    counts.explained_repetitions = len(repetitions) - len(counts.repeated) - len(counts.repeated_news)


def _find_unexplained(repetitions: list[tuple[Arrival, Arrival]], records: Records) -> list[tuple[Arrival, Arrival]]:
    """Match each repetition, the earliest first, with the earliest kill that explains it; return those without one."""
    unexplained = []
    kills = sorted(records.kills)
    # The mail server may read and record a mail after its sender was killed.
    slack = records.slack
    for before, again in sorted(repetitions, key=lambda repetition: repetition[1].at):
        if not before.acknowledged:
            continue
        kill = next((kill for kill in kills if before.at - slack <= kill <= again.at), None)
        if kill is None:
            unexplained.append((before, again))
        else:
            kills.remove(kill)
    return unexplained


def _count_lost_news(records: Records, histories: dict[int, History], counts: MailCounts) -> None:
    mailbox, preferences = Mailbox(records, histories), MailPreferences(records)
    facts = mailbox.facts
    mails = {mail.id: mail for mail in records.mails}
    arrivals = _group_by_message_id(records.arrivals)
    # By the id of the mail that has to tell of them in the end.
    notifications: dict[int, list[NotificationRow]] = {}
    for notification in records.notifications:
        if notification.mail_id is not None:
            mail = _find_superseding(mails[notification.mail_id], mails)
            notifications.setdefault(mail.id, []).append(notification)
        elif preferences.is_mailed(facts[notification.fact_id].name, notification.user_id):
            counts.lost.append(f"notification {notification.id} for member {notification.user_id} has no mail")
    for mail in records.mails:
        if mail.superseded_by is not None or is_waiting(mail):
            continue
        arrived = arrivals.get(mail.message_id, [])
        valid = [
            each
            for each in _drop_earlier(notifications.get(mail.id, []), facts)
            if preferences.is_mailed(facts[each.fact_id].name, each.user_id)
            and not may_be_dropped(facts[each.fact_id], each.user_id, histories)
        ]
        ends = [each for each in valid if facts[each.fact_id].name in ENDS]
        missing = [each for each in ends or valid if not mailbox.is_contained_in(arrived, each)]
        was_rightly_dropped = mail.status == "dropped" and mail.id in notifications
        if missing or not (arrived or was_rightly_dropped):
            messages = "; ".join(each.message for each in missing)
            counts.lost.append(f"mail {mail.id} ({mail.kind}, {mail.status}) to {mail.address}: {messages}")


def _count_lost_welcomes(records: Records, counts: MailCounts) -> None:
    welcomed = {mail.address for mail in records.mails if mail.kind == "welcome"}
    for action in records.actions:
        member = action.actor_id
        if action.name != "register" or action.outcome != "done" or member is None:
            continue
        if records.addresses[member] not in welcomed:
            counts.lost.append(f"no welcome for member {member}")


def _group_by_message_id(arrivals: list[Arrival]) -> dict[str, list[Arrival]]:
    groups: dict[str, list[Arrival]] = {}
    for arrival in arrivals:
        groups.setdefault(arrival.message_id, []).append(arrival)
    return groups


def _drop_earlier(notifications: list[NotificationRow], facts: dict[int, Fact]) -> list[NotificationRow]:
    """Leave out notifications of one mail that a later one of the same kind replaces."""
    last = {facts[each.fact_id].name: each for each in notifications}
    moves = [facts[each.fact_id] for each in notifications if facts[each.fact_id].name == "SessionRescheduled"]
    if moves and moves[0].payload["previous_date"] == moves[-1].payload["date"]:
        last.pop("SessionRescheduled")
    return [
        each
        for each in notifications
        if facts[each.fact_id].name not in LAST_ONE_SUFFICES or each is last.get(facts[each.fact_id].name)
    ]


def _find_superseding(mail: MailRow, mails: dict[int, MailRow]) -> MailRow:
    """Return the last mail in the chain of those that superseded this one."""
    while mail.superseded_by is not None:
        mail = mails[mail.superseded_by]
    return mail


def is_waiting(mail: MailRow) -> bool:
    """Whether the mail has another attempt; it is counted as stuck, not as lost."""
    return mail.next_try_at is not None
