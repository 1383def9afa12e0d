"""The delivery log, which is also the outbox: each mail is a row before it is sent, and keeps its result."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.time import clock


class Mail(models.Model):
    """One mail to one address, and where its delivery stands.

    It holds no text: that is written when the mail is sent, so that it is up to date and no secret is stored here.
    """

    class Status(models.TextChoices):
        # Never tried. A mail that was tried is never queued again, since it may have arrived.
        QUEUED = "queued"
        # Claimed by a sender until `next_try_at`; due again then if the sender has died.
        SENDING = "sending"
        SENT = "sent"
        # Retried at `next_try_at`, or given up where that is null: see `RETRYING` and `GIVEN_UP`.
        FAILED = "failed"
        DROPPED = "dropped", "dropped: nothing to say any more"

    kind = models.CharField(max_length=50)
    address = models.EmailField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    # The member's `token_version` when it was queued: a letter with a secret is not written once that has changed.
    member_version = models.PositiveIntegerField(null=True, editable=False)
    # Later news about the same topic joins this mail while it is untried; "" for a mail that is never joined.
    topic = models.CharField(max_length=100, blank=True)
    # The mail about the same topic that was sent instead of this one.
    superseded_by = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="supersedes")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    queued_at = models.DateTimeField(default=clock.now)
    next_try_at = models.DateTimeField(null=True, default=clock.now)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "topic"], name="one_open_mail_a_topic", condition=Q(status="queued") & ~Q(topic="")
            ),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "sending", "sent", "failed", "dropped"]), name="mail_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "sending"], next_try_at__isnull=False)
                | Q(status__in=["sent", "dropped"], next_try_at__isnull=True)
                | Q(status="failed"),
                name="mail_waits_or_is_done",
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], name="mail_due", condition=Q(next_try_at__isnull=False)),
            models.Index(fields=["next_try_at"], name="mail_untried", condition=Q(status="queued")),
            models.Index(fields=["-queued_at"], name="mail_newest"),
            models.Index(fields=["status", "-id"], name="mail_by_status"),
            models.Index(fields=["kind", "-id"], name="mail_by_kind"),
            models.Index(fields=["user", "topic"], name="mail_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.address}"

    @property
    def is_given_up(self) -> bool:
        """Whether delivery failed and no attempt is left, until somebody retries it."""
        return self.status == self.Status.FAILED and self.next_try_at is None


# The two states of a failed mail, as filters.
RETRYING = Q(status=Mail.Status.FAILED, next_try_at__isnull=False)
GIVEN_UP = Q(status=Mail.Status.FAILED, next_try_at__isnull=True)
