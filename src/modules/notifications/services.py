"""Changes to notifications."""

from collections.abc import Mapping

from django.db import transaction

from core import clock
from core.accounts.models import User
from core.errors import NotFound
from modules.notifications.models import Notification
from modules.notifications.texts import Text


def notify(*, fact_id: int, kind: Notification.Type, session_id: int | None, texts: Mapping[int, Text]) -> None:
    """Tell each member (by id; they must exist) the text that is theirs. Whom this fact told before is passed over."""
    at = clock.now()
    Notification.objects.bulk_create(
        [
            Notification(
                fact_id=fact_id,
                user_id=user_id,
                type=kind,
                session_id=session_id,
                title=text.title,
                message=text.message,
                created_at=at,
            )
            for user_id, text in texts.items()
        ],
        ignore_conflicts=True,
    )


def unlink_session(*, session_id: int) -> None:
    """Let go of a session that is gone: what was told about it stays, without the link."""
    Notification.objects.filter(session_id=session_id).update(session_id=None)


def mark_as_read(*, notification_id: int, by: User) -> Notification:
    """Note that the member has read it; twice is fine, and the first time counts.

    Raises `NotFound` for a notification that is not theirs.
    """
    with transaction.atomic():
        notification = Notification.objects.select_for_update().filter(pk=notification_id, user=by).first()
        if notification is None:
            raise NotFound("There is no such notification.")
        if notification.read_at is None:
            notification.read_at = clock.now()
            notification.save(update_fields=["read_at"])
    return notification


def mark_all_as_read(*, by: User) -> int:
    """Note that the member has read everything they were told so far; returns how many they had not."""
    return Notification.objects.filter(user=by, read_at=None).update(read_at=clock.now())
