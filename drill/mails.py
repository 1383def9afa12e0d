"""Which mails had to arrive, and which arrived too often.

A mail was wanted if a notification says that it is told by mail, or if a member has registered. It is lost if it never
reached the mail server, unless it had nothing to say any more when it was its turn:

- it was superseded, and the mail that speaks for it arrived or is itself rightly dropped;
- it was dropped, and each piece of its news had stopped being so before the end.

And it is lost, too, if it arrived without a piece of its news that has never stopped being so; unless it says that the
session does not take place, and nothing else.

Mail is sent at least once: a sender that is killed between the mail server's answer and its own note sends again, with
the same Message-ID. A repetition is right if a worker was killed between the two arrivals, and each kill explains one.
"""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from drill.ceasing import has_ceased
from drill.history import History, slack_of
from drill.records import Arrival, MailRow, Notice, Records

# These say that a session does not take place.
ENDS = frozenset({"SessionCancelled", "SessionExpired", "SessionDeleted"})


@dataclass
class Mails:
    sent: int = 0
    dropped: int = 0
    superseded: int = 0
    arrived: int = 0
    repeated: int = 0
    lost: list[str] = field(default_factory=list)
    repeated_without_kill: list[str] = field(default_factory=list)
    # That the ledger does not know, or that went to somebody else.
    unaccounted: list[str] = field(default_factory=list)


def count_mails(records: Records, histories: dict[int, History]) -> Mails:
    counted = Mails(
        sent=sum(mail.status == "sent" for mail in records.mails),
        dropped=sum(mail.status == "dropped" and mail.superseded_by is None for mail in records.mails),
        superseded=sum(mail.superseded_by is not None for mail in records.mails),
        arrived=len(records.arrivals),
    )
    _count_arrivals(records, counted)
    _count_lost(records, histories, counted)
    return counted


def _count_arrivals(records: Records, counted: Mails) -> None:
    known = {mail.message_id: mail for mail in records.mails}
    times: dict[str, list[datetime]] = {}
    for arrival in records.arrivals:
        mail = known.get(arrival.message_id)
        if mail is None or arrival.to != [mail.address]:
            counted.unaccounted.append(f"{arrival.message_id} to {arrival.to}: {arrival.subject}")
        times.setdefault(arrival.message_id, []).append(arrival.at)
    repetitions = [
        (again, before, message_id) for message_id, arrived in times.items() for before, again in pairwise(arrived)
    ]
    counted.repeated = len(repetitions)
    kills = sorted(records.kills)
    # The mail server may read a mail, and note it, when its sender is dead already.
    slack = slack_of(records)
    # Whichever has to be explained first takes the earliest kill that can explain it.
    for again, before, message_id in sorted(repetitions):
        kill = next((kill for kill in kills if before - slack <= kill <= again), None)
        if kill is None:
            counted.repeated_without_kill.append(f"{message_id} at {before} and at {again}")
        else:
            kills.remove(kill)


def _count_lost(records: Records, histories: dict[int, History], counted: Mails) -> None:
    facts = {fact.id: fact for fact in records.facts}
    mails = {mail.id: mail for mail in records.mails}
    arrived: dict[str, list[Arrival]] = {}
    for arrival in records.arrivals:
        arrived.setdefault(arrival.message_id, []).append(arrival)
    # What each mail has to say, with what it says for those that it superseded.
    news: dict[int, list[Notice]] = {}
    for notice in records.notices:
        if notice.by_mail and notice.mail_id is None:
            counted.lost.append(f"notification {notice.id} for member {notice.user_id} has no mail")
        elif notice.mail_id is not None:
            news.setdefault(_speaker(mails[notice.mail_id], mails).id, []).append(notice)
    for mail in records.mails:
        if mail.superseded_by is not None or is_waiting(mail):
            continue
        told = [arrival.text for arrival in arrived.get(mail.message_id, [])]
        lasting = [notice for notice in news.get(mail.id, []) if not has_ceased(facts[notice.fact_id], histories)]
        final = [notice for notice in lasting if facts[notice.fact_id].name in ENDS]
        untold = [notice for notice in final or lasting if not any(_tells(text, notice) for text in told)]
        rightly_dropped = mail.status == "dropped" and mail.id in news
        if untold or not (told or rightly_dropped):
            words = "; ".join(notice.message for notice in untold)
            counted.lost.append(f"mail {mail.id} ({mail.kind}, {mail.status}) to {mail.address}: {words}")
    welcomed = {mail.address for mail in records.mails if mail.kind == "welcome"}
    registered = [deed.by_id for deed in records.deeds if deed.action == "register" and deed.outcome == "done"]
    for member in registered:
        if member is not None and records.addresses[member] not in welcomed:
            counted.lost.append(f"no welcome for member {member}")


def _tells(text: str, notice: Notice) -> bool:
    """Whether a mail says what the notification says; a reminder that has waited may say how much is left now."""
    said = " ".join(text.split())
    wanted = notice.message.partition(" starts in ")[0] if " starts in " in notice.message else notice.message
    return all(" ".join(line.split()) in said for line in wanted.splitlines())


def _speaker(mail: MailRow, mails: dict[int, MailRow]) -> MailRow:
    """The mail that speaks for this one in the end."""
    while mail.superseded_by is not None:
        mail = mails[mail.superseded_by]
    return mail


def is_waiting(mail: MailRow) -> bool:
    """Not lost, but not through either: counted among the rows that stand still."""
    return mail.next_try_at is not None
