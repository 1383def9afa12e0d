"""Notify members in the app and by mail, by their preferences."""

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings

from core.accounts.models import User
from core.mail.services import enqueue_or_merge
from core.time import clock
from modules.notifications.kinds import Kind
from modules.notifications.models import Notification
from modules.notifications.queries.preferences import list_channels_by_member
from modules.notifications.texts import Text

# The kind of letter that `modules.notifications.letters` registers.
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
    """Write a notification for each member with their text, and enqueue or merge its mail.

    Idempotent: members who have a notification of this fact are skipped. A row is written even if the preferences
    suppress both channels. Mails of one topic are debounced by MAIL_DELAY_SECONDS, unless `at_once`. Runs in the
    transaction of the fact.
    """
    at = clock.now()
    channels = list_channels_by_member([member.pk for member in texts], kind)
    mails = enqueue_or_merge(
        kind=NEWS,
        topic=topic,
        users=[member for member in texts if channels[member.pk].mail and member.is_active],
        delay=AT_ONCE if at_once else settings.MAIL_DELAY,
    )
    rows = []
    for member, text in texts.items():
        chosen = channels[member.pk]
        row = Notification(fact_id=fact_id, user=member, type=type, kind=kind, session_id=session_id, created_at=at)
        row.title, row.message = text.title, text.message
        row.in_app, row.by_mail, row.chosen = chosen.in_app, chosen.mail, chosen.chosen
        row.mail = mails.get(member.pk)
        rows.append(row)
    Notification.objects.bulk_create(rows, ignore_conflicts=True)


def unlink_session(*, session_id: int) -> None:
    """Remove the link to a deleted session from its notifications, which stay."""
    theirs = Notification.objects.filter(session_id=session_id)
    # In the same order as `mark_all_as_read`, to avoid deadlocks.
    locked = theirs.select_for_update().order_by("pk").values_list("pk", flat=True)
    Notification.objects.filter(pk__in=list(locked)).update(session_id=None)
