"""Marking notifications as read."""

from django.db import transaction

from core.accounts.models import User
from core.errors import NotFound
from core.time import clock
from modules.notifications.models import Notification


def mark_as_read(*, notification_id: int, by: User) -> Notification:
    """Mark a notification as read. Idempotent: `read_at` is that of the first time.

    Raises `NotFound` for a notification that is not theirs.
    """
    with transaction.atomic():
        theirs = Notification.objects.select_for_update().filter(user=by, in_app=True)
        notification = theirs.filter(pk=notification_id).first()
        if notification is None:
            raise NotFound("There is no such notification.")
        if notification.read_at is None:
            notification.read_at = clock.now()
            notification.save(update_fields=["read_at"])
    return notification


def mark_all_as_read(*, by: User) -> int:
    """Mark all notifications of a member as read; return how many were unread."""
    with transaction.atomic():
        unread = Notification.objects.filter(user=by, in_app=True, read_at=None)
        # In the same order as `unlink_session`, to avoid deadlocks.
        locked = unread.select_for_update().order_by("pk").values_list("pk", flat=True)
        return Notification.objects.filter(pk__in=list(locked)).update(read_at=clock.now())
