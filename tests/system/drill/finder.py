"""Finds where in the records of a drill a fault can be planted."""

from collections.abc import Callable, Iterator

from drill.history import build_histories
from drill.mail_preferences import KINDS, MailPreferences
from drill.mailbox import Mailbox, NewsMail
from drill.records import Arrival, Fact, MailRow, MemberAction, NotificationRow, Records
from drill.reminders import count_reminders
from drill.staleness import NOT_TAKING_PLACE, is_stale


class Finder:
    def __init__(self, records: Records) -> None:
        self.records = records
        self.facts = {fact.id: fact for fact in records.facts}
        self.histories = build_histories(records)
        self.mails = {mail.id: mail for mail in records.mails}

    def get_fact_name(self, notification: NotificationRow) -> str:
        return self.facts[notification.fact_id].name

    def remove_mails_to(self, *people: int) -> None:
        """Change the records as if these members wanted no mails and had got none, so that mails show no fault."""
        addresses = {self.records.addresses[person] for person in people}
        self.records.actions += [
            build_action(self.records, "set_preferences", actor_id=person, preferences=dict.fromkeys(KINDS, False))
            for person in people
        ]
        for notification in self.records.notifications:
            if notification.user_id in people:
                notification.by_mail, notification.mail_id = False, None
        self.remove_mails(lambda mail: mail.kind == "news" and mail.address in addresses)

    def remove_mails(self, is_removed: Callable[[MailRow], bool]) -> None:
        message_ids = {mail.message_id for mail in self.records.mails if is_removed(mail)}
        self.records.mails = [mail for mail in self.records.mails if not is_removed(mail)]
        self.records.arrivals = [each for each in self.records.arrivals if each.message_id not in message_ids]

    def take_due_reminder(self) -> NotificationRow:
        """Return a reminder that was due, and remove the mails of its reader."""
        due = count_reminders(self.records, self.histories).due
        people = {(session, person, start.isoformat(), offset) for session, person, start, offset in due}
        for notification in self.records.notifications:
            fact = self.facts[notification.fact_id]
            if fact.name == "ReminderDue" and (
                (fact.session_id, notification.user_id, self.find_start(fact), fact.payload["minutes_before"]) in people
            ):
                self.remove_mails_to(notification.user_id)
                return notification
        raise LookupError("No reminder that was due was sent")

    def find_start(self, fact: Fact) -> str:
        return next(
            span.date.isoformat() for span in self.histories[fact.session_id or 0].opened if span.holds_at(fact)
        )

    def take_other_notification(self) -> NotificationRow:
        """Return a notification that is no reminder, and remove the mails of its reader."""
        names = ("BookingRequested", "BookingRequestApproved")
        notification = next(
            notification for notification in self.records.notifications if self.get_fact_name(notification) in names
        )
        self.remove_mails_to(notification.user_id)
        return notification

    def find_mailed(self, *names: str) -> NotificationRow:
        """Return a notification whose mail has arrived."""
        arrived = {arrival.message_id for arrival in self.records.arrivals}
        return next(
            notification
            for notification in self.records.notifications
            if notification.mail_id
            and self.mails[notification.mail_id].message_id in arrived
            and self.get_fact_name(notification) in names
        )

    def list_news_mails(self) -> Iterator[NewsMail]:
        """Return the mails with news, the latest first: those arrived after the last kill."""
        return reversed(list(Mailbox(self.records, self.histories).parse_news_mails()))

    def list_fact_names(self, news: NewsMail) -> set[str]:
        return {self.get_fact_name(notification) for line in news.lines for notification in line.notifications}

    def find_invitation(self) -> NewsMail:
        """Return a mail with a calendar file for somebody who took part all the time."""
        return next(news for news in self.list_news_mails() if news.arrival.calendars and self.takes_part(news))

    def takes_part(self, news: NewsMail) -> bool:
        snapshots = self.histories[int(news.topic.partition(":")[2])].list_snapshots_between(news.begin, news.end)
        return all(
            snapshot.takes_part(news.person) and snapshot.status not in NOT_TAKING_PLACE for snapshot in snapshots
        )

    def find_unsent_stale_line(self) -> tuple[NewsMail, str]:
        """Return a mail, and a line that no mail has, as it was stale before this mail was rendered."""
        mailbox = Mailbox(self.records, self.histories)
        arrived = list(mailbox.parse_news_mails())
        lines = {(news.person, news.topic, line.text) for news in arrived for line in news.lines}
        preferences = MailPreferences(self.records)
        return next(
            (news, notification.message)
            for news in arrived
            for notification in mailbox.notifications[news.person, news.topic]
            if self.get_fact_name(notification) == "BookingRequested"
            and (news.person, news.topic, notification.message) not in lines
            and preferences.is_mailed("BookingRequested", news.person)
            and is_stale(self.facts[notification.fact_id], news.person, self.histories, news.begin, news.end)
            and notification.at < news.begin
        )

    def find_session(self, *statuses: str) -> int:
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

    def add_notification(self, fact: Fact, user_id: int) -> None:
        notification = NotificationRow(
            id=max(each.id for each in self.records.notifications) + 1,
            fact_id=fact.id,
            user_id=user_id,
            at=fact.at,
            message="",
            by_mail=False,
            mail_id=None,
        )
        self.records.notifications.append(notification)


def build_action(
    records: Records, name: str, *, actor_id: int, preferences: dict[str, bool] | None = None, outcome: str = "done"
) -> MemberAction:
    return MemberAction(
        name=name,
        outcome=outcome,
        error="",
        session_id=None,
        actor_id=actor_id,
        target_id=None,
        duration=None,
        preferences=preferences,
        before=records.ended_at,
        after=records.ended_at,
    )


def find_last_acknowledged(records: Records) -> Arrival:
    """Return a mail that arrived after the last kill."""
    return next(arrival for arrival in reversed(records.arrivals) if arrival.acknowledged)


def repeat_in_another_mail(records: Records, arrival: Arrival) -> None:
    """Add a mail with the same text and another Message-ID."""
    mail = next(mail for mail in records.mails if mail.message_id == arrival.message_id)
    records.mails.append(mail.model_copy(update={"id": mail.id + 10**6, "message_id": "<another@localhost>"}))
    again = {"message_id": "<another@localhost>", "at": records.ended_at, "acknowledged": True}
    records.arrivals.append(arrival.model_copy(update=again))


def add_line(arrival: Arrival, line: str) -> None:
    greeting, _, rest = arrival.text.partition("\n")
    arrival.text = f"{greeting}\n\n{line}\n{rest}"
