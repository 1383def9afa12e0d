"""Explain in a sentence why a member was notified of a fact, or was not."""

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
from modules.notifications.texts import format_instant

# Fields of facts with the ids of members whom a notification may name.
PEOPLE = ("creator_id", "member_id", "uploader_id")
RECEIVER_PREFIX = "modules.notifications."
VIEW_MAIL = "core.view_mail"


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What happened, and whether and how one member was notified."""

    occurred_at: datetime
    what: str
    answer: str


def get_own_notification(*, notification_id: int, user: User) -> Notification | None:
    """Return the member's notification with its fact; `None` for one that is not theirs or is not shown in the app."""
    own = Notification.objects.filter(user=user, in_app=True).select_related("fact__actor")
    return own.filter(pk=notification_id).first()


def explain_notification(notification: Notification, reader: User) -> str:
    """Name the fact and the preference that caused a notification, for its reader. Moderators stay unnamed."""
    record = notification.fact
    what = _summarize_fact(record, _load_members([record]), is_discreet=True)
    when = format_instant(record.occurred_at, load_zone(reader.timezone))
    preference = _describe_preference(notification, "you")
    return f"You were told because {what} on {when}, and by your preferences {preference}."


def explain_facts(records: Sequence[FactRecord], member: User, *, viewer: User) -> list[Explanation]:
    """Explain to staff, for each fact, whether and how a member was notified. A constant number of queries."""
    notified = Notification.objects.filter(fact__in=records, user=member).select_related("mail__superseded_by")
    notifications = {notification.fact_id: notification for notification in notified}
    failed = FailedDelivery.objects.filter(fact__in=records, receiver__startswith=RECEIVER_PREFIX, delivered_at=None)
    failures = {failure.fact_id: failure for failure in failed.defer("error")}
    members = _load_members(records)
    return [
        Explanation(
            occurred_at=record.occurred_at,
            what=_summarize_fact(record, members, is_discreet=False),
            answer=_explain_outcome(record, member, notifications.get(record.pk), failures.get(record.pk), viewer),
        )
        for record in records
    ]


def _load_members(records: Iterable[FactRecord]) -> Mapping[int, User]:
    return User.objects.in_bulk([record.member_id for record in records if record.member_id])


def _summarize_fact(record: FactRecord, members: Mapping[int, User], *, is_discreet: bool) -> str:
    """Summarize the fact in one clause. `is_discreet` names only members whom its notification may name."""
    try:
        fact = load_fact(record)
    except KeyError:
        return f"there was {record.name}"
    member = members.get(record.member_id or 0)
    actor = record.actor
    if actor is None:
        name = record.system_actor_label
    elif is_discreet and not _is_named(actor, fact):
        name = "a moderator"
    else:
        name = actor.display_name
    if is_discreet and _hides_title(fact):
        unnamed: Any = fact
        fact = cast(Fact, replace(unnamed, title="whose title is not shown now"))
    return fact.summarize(actor=name, member=member.display_name if member else "somebody")


def _hides_title(fact: Fact) -> bool:
    """Return whether the fact has the title of something in a hidden session."""
    session_id = getattr(fact, "session_id", None)
    if session_id is None or hasattr(fact, "creator_id") or not hasattr(fact, "title"):
        return False
    people = PeopleOfSession(session_id=session_id).ask()
    return people is not None and people.is_hidden


def _is_named(actor: User, fact: Fact) -> bool:
    """Return whether a notification may name the actor: they are mentioned in the fact, or created the session."""
    if actor.pk in {getattr(fact, name, None) for name in PEOPLE}:
        return True
    session_id = getattr(fact, "session_id", None)
    if session_id is None or hasattr(fact, "creator_id"):
        return False
    people = PeopleOfSession(session_id=session_id).ask()
    return people is not None and people.creator_id == actor.pk


def _explain_outcome(
    record: FactRecord,
    member: User,
    notification: Notification | None,
    failure: FailedDelivery | None,
    viewer: User,
) -> str:
    if notification is not None:
        preference = _describe_preference(notification, "they")
        return f"Told: by their preferences {preference}. {describe_mail(notification, viewer)}"
    if not any(name.startswith(RECEIVER_PREFIX) for name in list_receivers(record.name)):
        return "Not told: nobody is told of this."
    if record.actor_id == member.pk:
        return "Not told: they caused it themselves."
    if failure is None:
        return "Not told: it did not concern them, or held no longer when it could be told."
    if failure.next_try_at is None:
        return "Not told: telling them failed, and was given up (see the failed deliveries)."
    again = format_instant(failure.next_try_at, load_zone(viewer.timezone))
    return f"Not told yet: telling them failed, and is tried again on {again}."


def _describe_preference(notification: Notification, who: str) -> str:
    descriptions = {
        (True, True): "shown in the app and sent by mail",
        (True, False): "shown in the app alone",
        (False, True): "sent by mail alone",
        (False, False): "neither shown in the app nor sent by mail",
    }
    choice = f"as {who} chose" if notification.chosen else "which is the default"
    label = Kind(notification.kind).label
    return f"“{label}” is {descriptions[notification.in_app, notification.by_mail]}, {choice}"


def describe_mail(notification: Notification, viewer: User) -> str:
    """Describe the state of a notification's mail in a sentence or two.

    Addresses and replies of servers are shown only to those who may view the delivery log. The notification's `mail`
    and its `superseded_by` have to be loaded.
    """
    mail = notification.mail
    if not notification.by_mail:
        return "No mail was wanted."
    if mail is None:
        return "The delivery log has no mail of it: they had no address, were deactivated, or it was long ago."
    if not viewer.has_perm(VIEW_MAIL):
        return _describe_outcome(mail.superseded_by or mail)
    zone = load_zone(viewer.timezone)
    if mail.superseded_by is not None:
        return f"Mail {mail.pk} was joined by a later one. {_describe_state(mail.superseded_by, zone)}"
    return _describe_state(mail, zone)


def _describe_outcome(mail: Mail) -> str:
    if mail.status == Mail.Status.SENT:
        return "The mail was sent."
    if mail.status == Mail.Status.DROPPED:
        return "The mail was dropped."
    if mail.status == Mail.Status.FAILED and mail.next_try_at is None:
        return "The mail was given up."
    return "The mail waits to be sent."


def _describe_state(mail: Mail, zone: tzinfo) -> str:
    if mail.status == Mail.Status.SENT and mail.sent_at:
        return f"Mail {mail.pk} was sent to {mail.address} on {format_instant(mail.sent_at, zone)}."
    if mail.status == Mail.Status.DROPPED:
        return f"Mail {mail.pk} was dropped: what it was to say held no longer, or they had unsubscribed."
    if mail.status == Mail.Status.FAILED and mail.next_try_at is None:
        return f"Mail {mail.pk} was given up: {mail.error}"
    if mail.status == Mail.Status.FAILED and mail.next_try_at:
        return f"Mail {mail.pk} failed, and is tried again on {format_instant(mail.next_try_at, zone)}: {mail.error}"
    return f"Mail {mail.pk} waits to be sent."
