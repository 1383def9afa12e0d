"""Why somebody was told something, or was not: in one sentence."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any, cast

from core.accounts.models import User
from core.facts import Fact
from core.facts.delivery import load_fact
from core.facts.models import FactRecord, FailedDelivery
from core.facts.registry import list_receivers
from core.mail.models import Mail
from core.time.zones import load_zone
from modules.notifications.events import PeopleOfSession
from modules.notifications.kinds import Kind
from modules.notifications.models import Notification
from modules.notifications.texts import moment

# Of a fact's fields, those that name people whom its news may name.
PEOPLE = ("creator_id", "member_id", "uploader_id")
OURS = "modules.notifications."
VIEW_MAIL = "core.view_mail"


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What happened, and what became of it for one member."""

    occurred_at: datetime
    what: str
    answer: str


def own_notification(*, notification_id: int, user: User) -> Notification | None:
    """The member's notification with its fact, `None` for one that is not theirs or was not shown to them."""
    own = Notification.objects.filter(user=user, in_app=True).select_related("fact__actor")
    return own.filter(pk=notification_id).first()


def why_told(notification: Notification, reader: User) -> str:
    """Which fact and which preference brought it, for its reader. Who moderates stays unnamed."""
    record = notification.fact
    what = _what_happened(record, _members_of([record]), discreetly=True)
    when = moment(record.occurred_at, load_zone(reader.timezone))
    return f"You were told because {what} on {when}, and by your preferences {_preference(notification, 'you')}."


def explain(records: Sequence[FactRecord], member: User, *, viewer: User) -> list[Explanation]:
    """What became of each of these facts for one member, for who looks into a question or a complaint.

    The number of queries does not depend on how many facts there are.
    """
    told = Notification.objects.filter(fact__in=records, user=member).select_related("mail__superseded_by")
    notifications = {notification.fact_id: notification for notification in told}
    missed = FailedDelivery.objects.filter(fact__in=records, receiver__startswith=OURS, delivered_at=None)
    failures = {failure.fact_id: failure for failure in missed.defer("error")}
    members = _members_of(records)
    return [
        Explanation(
            occurred_at=record.occurred_at,
            what=_what_happened(record, members, discreetly=False),
            answer=_answer(record, member, notifications.get(record.pk), failures.get(record.pk), viewer),
        )
        for record in records
    ]


def _members_of(records: Iterable[FactRecord]) -> Mapping[int, User]:
    return User.objects.in_bulk([record.member_id for record in records if record.member_id])


def _what_happened(record: FactRecord, members: Mapping[int, User], *, discreetly: bool) -> str:
    """The fact in words. `discreetly` names only those whom its news names."""
    try:
        fact = load_fact(record)
    except KeyError:
        return f"there was {record.name}"
    member = members.get(record.member_id or 0)
    actor = record.actor
    if actor is None:
        name = record.nobody
    elif discreetly and not _is_named(actor, fact):
        name = "a moderator"
    else:
        name = actor.display_name
    if discreetly and _is_unnamed(fact):
        unnamed: Any = fact
        fact = cast(Fact, replace(unnamed, title="whose title is not shown now"))
    return fact.in_words(actor=name, member=member.display_name if member else "somebody")


def _is_unnamed(fact: Fact) -> bool:
    """Whether it names something in a session that is hidden."""
    session_id = getattr(fact, "session_id", None)
    if session_id is None or hasattr(fact, "creator_id") or not hasattr(fact, "title"):
        return False
    people = PeopleOfSession(session_id=session_id).ask()
    return people is not None and people.is_hidden


def _is_named(actor: User, fact: Fact) -> bool:
    """Whether its news may name them: one of its people, or whoever offers the session."""
    if actor.pk in {getattr(fact, name, None) for name in PEOPLE}:
        return True
    session_id = getattr(fact, "session_id", None)
    if session_id is None or hasattr(fact, "creator_id"):
        return False
    people = PeopleOfSession(session_id=session_id).ask()
    return people is not None and people.creator_id == actor.pk


def _answer(
    record: FactRecord,
    member: User,
    notification: Notification | None,
    failure: FailedDelivery | None,
    viewer: User,
) -> str:
    if notification is not None:
        preference = _preference(notification, "they")
        return f"Told: by their preferences {preference}. {what_became_of_mail(notification, viewer)}"
    if not any(name.startswith(OURS) for name in list_receivers(record.name)):
        return "Not told: nobody is told of this."
    if record.actor_id == member.pk:
        return "Not told: they caused it themselves."
    if failure is None:
        return "Not told: it did not concern them, or held no longer when it could be told."
    if failure.next_try_at is None:
        return "Not told: telling them failed, and was given up (see the failed deliveries)."
    again = moment(failure.next_try_at, load_zone(viewer.timezone))
    return f"Not told yet: telling them failed, and is tried again on {again}."


def _preference(notification: Notification, who: str) -> str:
    places = {
        (True, True): "shown in the app and sent by mail",
        (True, False): "shown in the app alone",
        (False, True): "sent by mail alone",
        (False, False): "neither shown in the app nor sent by mail",
    }
    choice = f"as {who} chose" if notification.chosen else "which is the default"
    label = Kind(notification.kind).label
    return f"“{label}” is {places[notification.in_app, notification.by_mail]}, {choice}"


def what_became_of_mail(notification: Notification, viewer: User) -> str:
    """In a sentence or two, by the row of the ledger that comes along with it, and the one that superseded that.

    Addresses and what servers said are for who may view the ledger; others read whether it went.
    """
    mail = notification.mail
    if not notification.by_mail:
        return "No mail was wanted."
    if mail is None:
        return "The ledger has no mail of it: they had no address, were deactivated, or it was long ago."
    if not viewer.has_perm(VIEW_MAIL):
        return _whether_it_went(mail.superseded_by or mail)
    zone = load_zone(viewer.timezone)
    if mail.superseded_by is not None:
        return f"Mail {mail.pk} was joined by a later one. {_state(mail.superseded_by, zone)}"
    return _state(mail, zone)


def _whether_it_went(mail: Mail) -> str:
    if mail.status == Mail.Status.SENT:
        return "The mail was sent."
    if mail.status == Mail.Status.DROPPED:
        return "The mail was dropped."
    if mail.status == Mail.Status.FAILED and mail.next_try_at is None:
        return "The mail was given up."
    return "The mail waits to be sent."


def _state(mail: Mail, zone: tzinfo) -> str:
    if mail.status == Mail.Status.SENT and mail.sent_at:
        return f"Mail {mail.pk} was sent to {mail.address} on {moment(mail.sent_at, zone)}."
    if mail.status == Mail.Status.DROPPED:
        return f"Mail {mail.pk} was dropped: what it was to say held no longer, or they had unsubscribed."
    if mail.status == Mail.Status.FAILED and mail.next_try_at is None:
        return f"Mail {mail.pk} was given up: {mail.error}"
    if mail.status == Mail.Status.FAILED and mail.next_try_at:
        return f"Mail {mail.pk} failed, and is tried again on {moment(mail.next_try_at, zone)}: {mail.error}"
    return f"Mail {mail.pk} waits to be sent."
