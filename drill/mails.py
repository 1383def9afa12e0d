"""Which mails had to arrive, and which arrived too often.

A mail was wanted if a notification says that it is told by mail, or if a member has registered. It is lost if it never
reached the mail server, unless it had nothing to say any more when it was its turn:

- it was superseded, and the mail that speaks for it arrived or is itself rightly dropped;
- it was dropped, and each piece of its news had stopped being so before the end (see `ceased`).

Mail is sent at least once: a sender that is killed between the mail server's answer and its own note sends again, with
the same Message-ID. A repetition is right if a worker was killed between the two arrivals, and each kill explains one.
"""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from drill.history import OPEN, History
from drill.records import Fact, MailRow, Notice, Records


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
    # Whichever has to be explained first takes the earliest kill that can explain it.
    for again, before, message_id in sorted(repetitions):
        kill = next((kill for kill in kills if before <= kill <= again), None)
        if kill is None:
            counted.repeated_without_kill.append(f"{message_id} at {before} and at {again}")
        else:
            kills.remove(kill)


def _count_lost(records: Records, histories: dict[int, History], counted: Mails) -> None:
    arrived = {arrival.message_id for arrival in records.arrivals}
    mails = {mail.id: mail for mail in records.mails}
    facts = {fact.id: fact for fact in records.facts}
    lost: dict[int, str] = {}
    news: dict[int, list[Notice]] = {}
    for notice in records.notices:
        if not notice.by_mail:
            continue
        if notice.mail_id is None:
            counted.lost.append(f"notification {notice.id} for member {notice.user_id} has no mail")
        else:
            news.setdefault(_speaker(mails[notice.mail_id], mails).id, []).append(notice)
    for mail in records.mails:
        if mail.superseded_by is not None or mail.message_id in arrived or is_waiting(mail):
            continue
        still_so = [notice for notice in news.get(mail.id, []) if not ceased(facts, notice, histories)]
        if mail.status != "dropped" or still_so or mail.id not in news:
            lost[mail.id] = f"mail {mail.id} ({mail.kind}, {mail.status}) to {mail.address}"
    counted.lost += lost.values()
    welcomed = {mail.address for mail in records.mails if mail.kind == "welcome"}
    registered = [deed.by_id for deed in records.deeds if deed.action == "register" and deed.outcome == "done"]
    for member in registered:
        if member is not None and records.addresses[member] not in welcomed:
            counted.lost.append(f"no welcome for member {member}")


def _speaker(mail: MailRow, mails: dict[int, MailRow]) -> MailRow:
    """The mail that speaks for this one in the end."""
    while mail.superseded_by is not None:
        mail = mails[mail.superseded_by]
    return mail


def is_waiting(mail: MailRow) -> bool:
    """Not lost, but not through either: counted among the rows that stand still."""
    return mail.next_try_at is not None


def ceased(facts: dict[int, Fact], notice: Notice, histories: dict[int, History]) -> bool:
    """Whether what a notification says had stopped being so at some time after it, so that its mail may be dropped.

    What ends for good (a cancellation, an expiry, a rejection of a session, a deletion) never stops being so.
    """
    fact = facts[notice.fact_id]
    if fact.name == "SessionsWaiting":
        waiting = [each["session_id"] for each in fact.payload["sessions"]]
        return all(histories[session_id].status != "pending_approval" for session_id in waiting)
    if fact.session_id is None:
        return False
    history = histories[fact.session_id]
    if history.status == "gone":
        return fact.name != "SessionDeleted"
    later = [told.fact for told in history.told if told.fact.id > fact.id]
    if fact.name in ENDED_BY:
        member = fact.payload["member_id"]
        enders = ENDED_BY[fact.name]
        return any(other.name in enders and other.payload.get("member_id", member) == member for other in later)
    if fact.name in WHILE_OPEN:
        places_change = fact.name != "SessionApproved" and any(other.name in CHANGES_PLACES for other in later)
        return history.status not in OPEN or places_change
    return False


# Said of a session that is open, to those who belong to it.
WHILE_OPEN = frozenset({"SessionApproved", "SessionRescheduled", "ReminderDue", "RequestsUndecided"})
CHANGES_PLACES = frozenset(
    {
        "SessionRescheduled",
        "SeatLeft",
        "ParticipantRemoved",
        "BookingRequestApproved",
        "BookingRequestRejected",
        "BookingRequestWithdrawn",
    }
)
CLOSES = frozenset({"SessionStarted", "SessionExpired", "SessionCancelled", "SessionRejected", "SessionDeleted"})
# What makes news about a request old, if it comes later and concerns the same member (or all).
ENDED_BY = {
    "BookingRequested": {
        "BookingRequestApproved",
        "BookingRequestRejected",
        "BookingRequestWithdrawn",
        "BookingRequested",
        *CLOSES,
    },
    "BookingRequestApproved": {"SeatLeft", "ParticipantRemoved"},
    "BookingRequestRejected": {"BookingRequested", "BookingRequestApproved"},
    "SeatLeft": {"BookingRequestApproved"},
    "ParticipantRemoved": {"BookingRequestApproved"},
}
