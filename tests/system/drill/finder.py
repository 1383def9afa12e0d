"""Where in the records of a drill a fault can be planted."""

from collections.abc import Callable, Iterator

from drill.history import histories_of
from drill.mail_preferences import KINDS, MailPreferences
from drill.mailbox import Mailbox, News
from drill.records import Arrival, Deed, Fact, MailRow, Notice, Records
from drill.reminders import count_reminders
from drill.staleness import NOT_TAKING_PLACE, is_stale


class Finder:
    """Finds in the records what a fault can be planted in."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.facts = {fact.id: fact for fact in records.facts}
        self.histories = histories_of(records)
        self.mails = {mail.id: mail for mail in records.mails}

    def name(self, notice: Notice) -> str:
        return self.facts[notice.fact_id].name

    def silence(self, *people: int) -> None:
        """Let these have chosen to be mailed of nothing, and let them have got nothing: so that a fault in what they
        were told is none in their mails."""
        addresses = {self.records.addresses[person] for person in people}
        self.records.deeds += [
            deed(self.records, "choose", by_id=person, choice=dict.fromkeys(KINDS, False)) for person in people
        ]
        for notice in self.records.notices:
            if notice.user_id in people:
                notice.by_mail, notice.mail_id = False, None
        self.forget_mails(lambda mail: mail.kind == "news" and mail.address in addresses)

    def forget_mails(self, concerned: Callable[[MailRow], bool]) -> None:
        message_ids = {mail.message_id for mail in self.records.mails if concerned(mail)}
        self.records.mails = [mail for mail in self.records.mails if not concerned(mail)]
        self.records.arrivals = [each for each in self.records.arrivals if each.message_id not in message_ids]

    def due_reminder(self) -> Notice:
        """Whose reader is mailed of nothing."""
        due = count_reminders(self.records, self.histories).due
        people = {(session, person, start.isoformat(), offset) for session, person, start, offset in due}
        for notice in self.records.notices:
            fact = self.facts[notice.fact_id]
            if fact.name == "ReminderDue" and (
                (fact.session_id, notice.user_id, self.start_of(fact), fact.payload["minutes_before"]) in people
            ):
                self.silence(notice.user_id)
                return notice
        raise LookupError("No reminder that was due was sent")

    def start_of(self, fact: Fact) -> str:
        return next(
            span.date.isoformat() for span in self.histories[fact.session_id or 0].opened if span.holds_at(fact)
        )

    def other(self) -> Notice:
        """A notification that is no reminder, whose reader is mailed of nothing."""
        names = ("BookingRequested", "BookingRequestApproved")
        notice = next(notice for notice in self.records.notices if self.name(notice) in names)
        self.silence(notice.user_id)
        return notice

    def mailed(self, *names: str) -> Notice:
        """A notification that arrived in its own mail."""
        arrived = {arrival.message_id for arrival in self.records.arrivals}
        return next(
            notice
            for notice in self.records.notices
            if notice.mail_id and self.mails[notice.mail_id].message_id in arrived and self.name(notice) in names
        )

    def news(self) -> Iterator[News]:
        """What arrived, the last first: when nobody was killed any more."""
        return reversed(list(Mailbox(self.records, self.histories).news()))

    def names(self, news: News) -> set[str]:
        return {self.name(notice) for line in news.lines for notice in line.notices}

    def invited(self) -> News:
        """Somebody who was asked in by a file, and was in all the while."""
        return next(news for news in self.news() if news.arrival.calendars and self.is_in(news))

    def is_in(self, news: News) -> bool:
        moments = self.histories[int(news.topic.partition(":")[2])].between(news.begin, news.end)
        return all(moment.is_in(news.person) and moment.status not in NOT_TAKING_PLACE for moment in moments)

    def untold(self) -> tuple[News, str]:
        """A mail, and a line that none says: it had clearly ceased before this mail was written."""
        mailbox = Mailbox(self.records, self.histories)
        arrived = list(mailbox.news())
        told = {(news.person, news.topic, line.words) for news in arrived for line in news.lines}
        preferences = MailPreferences(self.records)
        return next(
            (news, notice.message)
            for news in arrived
            for notice in mailbox.told[news.person, news.topic]
            if self.name(notice) == "BookingRequested"
            and (news.person, news.topic, notice.message) not in told
            and preferences.by_mail("BookingRequested", news.person)
            and is_stale(self.facts[notice.fact_id], news.person, self.histories, news.begin, news.end)
            and notice.at < news.begin
        )

    def session(self, *statuses: str) -> int:
        return next(session for session, history in self.histories.items() if history.status in statuses)

    def add_fact(self, name: str, session_id: int, **payload: object) -> Fact:
        fact = Fact(
            id=max(self.facts) + 1,
            name=name,
            session_id=session_id,
            member_id=None,
            actor_id=None,
            at=self.records.ended_at,
            payload=payload,
            changes={},
        )
        self.records.facts.append(fact)
        return fact

    def add_notice(self, fact: Fact, user_id: int) -> None:
        notice = Notice(
            id=max(each.id for each in self.records.notices) + 1,
            fact_id=fact.id,
            user_id=user_id,
            at=fact.at,
            message="",
            by_mail=False,
            mail_id=None,
        )
        self.records.notices.append(notice)


def deed(
    records: Records, action: str, *, by_id: int, choice: dict[str, bool] | None = None, outcome: str = "done"
) -> Deed:
    return Deed(
        action=action,
        outcome=outcome,
        why="",
        session_id=None,
        by_id=by_id,
        whom_id=None,
        duration=None,
        choice=choice,
        before=records.ended_at,
        after=records.ended_at,
    )


def last_answered(records: Records) -> Arrival:
    """A mail that arrived when nobody was killed any more."""
    return next(arrival for arrival in reversed(records.arrivals) if arrival.answered)


def again_in_another_mail(records: Records, arrival: Arrival) -> None:
    """Let what this mail says have been told once more, under another Message-ID."""
    mail = next(mail for mail in records.mails if mail.message_id == arrival.message_id)
    records.mails.append(mail.model_copy(update={"id": mail.id + 10**6, "message_id": "<another@localhost>"}))
    again = {"message_id": "<another@localhost>", "at": records.ended_at, "answered": True}
    records.arrivals.append(arrival.model_copy(update=again))


def say_more(arrival: Arrival, line: str) -> None:
    greeting, _, rest = arrival.text.partition("\n")
    arrival.text = f"{greeting}\n\n{line}\n{rest}"
