"""Telling members: in the app, by mail, or both, as each of them wants it."""

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings

from core.accounts.models import User
from core.mail.services import enqueue_or_merge
from core.time import clock
from modules.notifications.kinds import Kind
from modules.notifications.models import Notification
from modules.notifications.queries.preferences import channels_for
from modules.notifications.texts import Text

# What `modules.notifications.letters` writes.
NEWS = "news"
AT_ONCE = timedelta(0)


def notify(
    *,
    fact_id: int,
    type: Notification.Type,  # noqa: A002
    kind: Kind,
    topic: str,
    session_id: int | None,
    at_once: bool,
    texts: Mapping[User, Text],
) -> None:
    """Tell each member the text that is theirs. Whom this fact told before is passed over.

    A row is written for everybody, also for who wants to hear of it nowhere. Mails about one topic that come within a
    short time become one; what has to leave `at_once` takes the ones before along. In the transaction of the fact.
    """
    at = clock.now()
    channels = channels_for([member.pk for member in texts], kind)
    mails = enqueue_or_merge(
        kind=NEWS,
        topic=topic,
        users=[member for member in texts if channels[member.pk].mail and member.is_active],
        delay=AT_ONCE if at_once else settings.MAIL_DELAY,
    )
    Notification.objects.bulk_create(
        [
            Notification(
                fact_id=fact_id,
                user=member,
                type=type,
                kind=kind,
                session_id=session_id,
                title=text.title,
                message=text.message,
                in_app=channels[member.pk].in_app,
                by_mail=channels[member.pk].mail,
                chosen=channels[member.pk].chosen,
                mail=mails.get(member.pk),
                created_at=at,
            )
            for member, text in texts.items()
        ],
        ignore_conflicts=True,
    )


def unlink_session(*, session_id: int) -> None:
    """Let go of a session that is gone: what was told about it stays, without the link."""
    theirs = Notification.objects.filter(session_id=session_id)
    # In one order, as whoever marks theirs as read: or the two would wait for each other in a circle.
    locked = theirs.select_for_update().order_by("pk").values_list("pk", flat=True)
    Notification.objects.filter(pk__in=list(locked)).update(session_id=None)
