"""Queries of notifications, as rows with the documented keys in the documented order."""

from datetime import datetime
from typing import TypedDict, cast

from django.db.models import BooleanField, ExpressionWrapper, F, Q

from core.accounts.models import User
from modules.notifications.models import Notification


class NotificationRow(TypedDict):
    id: int
    user: int
    title: str
    message: str
    type: str
    session: int | None
    read: bool
    created_at: datetime


def list_notifications(
    *, user: User, limit: int, before: int | None = None, unread_only: bool = False
) -> list[NotificationRow]:
    """List a member's notifications, the newest first; with `before`, only those older than the one with that id."""
    rows = Notification.objects.filter(user=user, in_app=True)
    if unread_only:
        rows = rows.filter(read_at=None)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    values = (
        rows.annotate(
            session=F("session_id"),
            read=ExpressionWrapper(Q(read_at__isnull=False), output_field=BooleanField()),
        )
        .order_by("-pk")
        .values("id", "user", "title", "message", "type", "session", "read", "created_at")
    )
    return cast(list[NotificationRow], list(values[:limit]))


def count_unread(*, user: User) -> int:
    return Notification.objects.filter(user=user, in_app=True, read_at=None).count()


def present_notification(notification: Notification) -> NotificationRow:
    """Build the same row from a model instance."""
    return {
        "id": notification.pk,
        "user": notification.user_id,
        "title": notification.title,
        "message": notification.message,
        "type": notification.type,
        "session": notification.session_id,
        "read": notification.read_at is not None,
        "created_at": notification.created_at,
    }
