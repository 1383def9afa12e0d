"""Notifications, and the preferences of members."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from modules.notifications.kinds import Kind


class Notification(models.Model):
    """One notification of one member. Its text is stored: later changes of names and titles do not affect it.

    A row is written for everybody concerned, even if their preferences suppress both channels, so that "why was I not
    told?" has an answer.
    """

    class Type(models.TextChoices):
        REMINDER = "reminder"
        BOOKING_REQUEST = "booking_request"
        SESSION_UPDATE = "session_update"
        GENERAL = "general"

    # The constraint and the indexes below serve both keys.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications", db_index=False
    )
    # The cause.
    fact = models.ForeignKey("core.FactRecord", on_delete=models.PROTECT, related_name="+", db_index=False)
    type = models.CharField(max_length=20, choices=Type.choices)
    # The kind by which preferences are set, a snapshot of the member's preference, and whether they had chosen it.
    kind = models.CharField(max_length=20, choices=Kind.choices)
    in_app = models.BooleanField(default=True)
    by_mail = models.BooleanField(default=False)
    chosen = models.BooleanField(default=False)
    # The mail that contains it; the delivery log deletes old mails.
    mail = models.ForeignKey("core.Mail", null=True, on_delete=models.SET_NULL, related_name="+")
    # Contains the title of a session (up to 200 characters).
    title = models.CharField(max_length=300)
    message = models.TextField()
    # Null if it is about no session, or about a deleted one.
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
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="known_notification_kind"),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="notification_newest", condition=Q(in_app=True)),
            models.Index(
                fields=["user", "-id"], name="notification_unread", condition=Q(in_app=True, read_at__isnull=True)
            ),
            models.Index(fields=["user", "session_id"], name="notification_of_user"),
            models.Index(fields=["session_id"], name="notification_of_session", condition=Q(session_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.title} (to member {self.user_id})"


class Preference(models.Model):
    """The channels by which a member wants to be notified of one kind. Without a row, the defaults apply."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_preferences", db_index=False
    )
    kind = models.CharField(max_length=20, choices=Kind.choices)
    in_app = models.BooleanField()
    mail = models.BooleanField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="one_preference_a_kind"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="known_preference_kind"),
        ]

    def __str__(self) -> str:
        return f"Member {self.user_id} about {self.kind}"
