"""What members were told."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Notification(models.Model):
    """One piece of news for one member, in the words of its moment: names and titles that change leave it alone."""

    class Type(models.TextChoices):
        REMINDER = "reminder"
        BOOKING_REQUEST = "booking_request"
        SESSION_UPDATE = "session_update"
        GENERAL = "general"

    # The constraint and the indexes below serve both keys.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications", db_index=False
    )
    # Why they were told: the record has who did what, when, and from which request.
    fact = models.ForeignKey("core.FactRecord", on_delete=models.PROTECT, related_name="+", db_index=False)
    type = models.CharField(max_length=20, choices=Type.choices)
    # A session's title, at most 200 characters, and the words around it.
    title = models.CharField(max_length=300)
    message = models.TextField()
    # Empty where the news is about no session, or about one that is gone.
    session_id = models.BigIntegerField(null=True)
    read_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["fact", "user"], name="told_once_of_a_fact"),
            models.CheckConstraint(
                condition=Q(type__in=["reminder", "booking_request", "session_update", "general"]),
                name="known_notification_type",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="notification_newest"),
            models.Index(fields=["user", "-id"], name="notification_unread", condition=Q(read_at__isnull=True)),
            models.Index(fields=["session_id"], name="notification_of_session", condition=Q(session_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.title} (to member {self.user_id})"
