"""Notification rules, and how they turn a fact into notifications."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.accounts.models import User
from core.facts import Delivery, Fact
from core.facts.models import FactRecord
from modules.notifications.events import People, PeopleOfSession, StillHolds
from modules.notifications.kinds import MAILED_AT_ONCE, Kind
from modules.notifications.models import Notification
from modules.notifications.services.notifying import notify
from modules.notifications.texts import Text
from modules.sessions.events import SessionDeleted

# Stands for a member who no longer exists.
SOMEBODY = "Somebody"
# The fields of a member that texts and mails need.
MEMBER_FIELDS = ("username", "first_name", "last_name", "timezone", "email", "is_active")


@dataclass(frozen=True, kw_only=True)
class News:
    """A fact with what is needed to find its audience and to write its text."""

    fact: Any
    reason: str
    is_retry: bool = False
    # Who belongs to the session now; `None` if it was deleted, or the rule does not need them.
    people: People | None = None
    # Only for texts: the reader, and the name of the member that the text mentions.
    reader: Any = None
    mentioned: str = SOMEBODY

    @property
    def session_title(self) -> str:
        return "" if self.people is None else self.people.title

    @property
    def material_title(self) -> str | None:
        """The title of a material; `None` if the session is hidden, and so the title."""
        return None if self.people is None or self.people.is_hidden else self.fact.title


@dataclass(frozen=True, kw_only=True)
class Audience:
    """A group of readers: how their ids are found, and their name in the documentation."""

    label: str
    find: Callable[[News], Iterable[int]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Who is notified of a fact, as which kind, in which words.

    `text` returns `None` for a reader whom the fact does not concern. `mentions` is the field of the fact with the id
    of the member that the text mentions. Mails about one `topic`, by default the session's, are debounced by
    MAIL_DELAY_SECONDS, unless the kind or `is_mailed_at_once` says otherwise. `receiver` is stored with failed
    deliveries and never changes.
    """

    fact: type[Fact]
    audiences: Sequence[Audience]
    kind: Kind
    text: Callable[[News], Text | None]
    receiver: str
    type: Notification.Type = Notification.Type.SESSION_UPDATE
    mentions: str = ""
    topic: str = ""
    asks_people: bool = False
    links_session: bool = True
    is_mailed_at_once: Callable[[News], bool] | None = None
    # Called before anybody is notified.
    prepare: Callable[[Any], None] = lambda _fact: None

    def find_audience(self, news: News) -> list[int]:
        """Return the ids of everybody whom the fact concerns."""
        return [person_id for audience in self.audiences for person_id in audience.find(news)]

    def is_urgent(self, news: News) -> bool:
        """Return whether mail is sent at once rather than debounced."""
        return self.kind in MAILED_AT_ONCE or (self.is_mailed_at_once is not None and self.is_mailed_at_once(news))


def apply_rule(rule: Rule, fact: Fact, delivery: Delivery) -> None:
    """Notify the audiences of a rule except the actor; on a retry, only those for whom the fact still holds."""
    rule.prepare(fact)
    session_id = getattr(fact, "session_id", None)
    news = News(
        fact=fact,
        reason=delivery.reason,
        is_retry=delivery.is_retry,
        people=PeopleOfSession(session_id=session_id).ask() if rule.asks_people and session_id else None,
    )
    concerned = [person_id for person_id in rule.find_audience(news) if person_id != delivery.actor_id]
    if delivery.is_retry:
        concerned = _select_still_concerned(concerned, fact, delivery)
    texts = _write_texts(rule, news, concerned)
    if not texts:
        return
    is_linked = rule.links_session and not (delivery.is_retry and session_id and _is_deleted(session_id))
    notify(
        fact_id=delivery.fact_id,
        type=rule.type,
        kind=rule.kind,
        topic=rule.topic or f"session:{session_id or 0}",
        session_id=session_id if is_linked else None,
        at_once=rule.is_urgent(news),
        texts=texts,
    )


def _select_still_concerned(concerned: Iterable[int], fact: Fact, delivery: Delivery) -> list[int]:
    notified_ids = set(Notification.objects.filter(fact=delivery.fact_id).values_list("user_id", flat=True))
    return [
        person_id
        for person_id in concerned
        if person_id not in notified_ids and StillHolds(fact=fact, person_id=person_id).ask()
    ]


def _write_texts(rule: Rule, news: News, concerned: Sequence[int]) -> dict[User, Text]:
    """Write the text for each reader. One query, whatever the number of readers."""
    if not concerned:
        return {}
    mentioned_id = getattr(news.fact, rule.mentions) if rule.mentions else None
    wanted = concerned if mentioned_id is None else [*concerned, mentioned_id]
    members = {member.pk: member for member in User.objects.filter(pk__in=wanted).only(*MEMBER_FIELDS)}
    mentioned = members[mentioned_id].display_name if mentioned_id in members else SOMEBODY
    texts = {}
    for person_id in dict.fromkeys(concerned):
        # A member may have been deleted, and a row for them would fail the publisher's commit.
        if person_id not in members:
            continue
        reader = members[person_id]
        text = rule.text(replace(news, reader=reader, mentioned=mentioned))
        if text is not None:
            texts[reader] = text
    return texts


def _is_deleted(session_id: int) -> bool:
    return FactRecord.objects.filter(session_id=session_id, name=SessionDeleted.name).exists()
