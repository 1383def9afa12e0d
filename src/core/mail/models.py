"""The ledger of mails: what has to be sent is a row first."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.time import clock


class Mail(models.Model):
    """One mail to one address. It holds no text: that is written when it is sent, so that no secret rests here and
    what it says is what holds then."""

    class Status(models.TextChoices):
        # Nobody has tried to send it: what was tried is never queued again, since it may have arrived.
        QUEUED = "queued"
        # Somebody has it in hand; if they die, it is due again at `next_try_at`.
        SENDING = "sending"
        SENT = "sent"
        # Tried again at `next_try_at`, or given up where there is none.
        FAILED = "failed"
        DROPPED = "dropped", "dropped: nothing to say any more"

    kind = models.CharField(max_length=50)
    address = models.EmailField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    # Their `token_version` when it was queued: a letter that carries a secret is not written once that has moved on.
    member_version = models.PositiveIntegerField(null=True, editable=False)
    # What later news about the same thing joins, while nobody has tried to send it; "" for a mail of its own.
    topic = models.CharField(max_length=100, blank=True)
    # The mail about the same topic that went out first, and says what this one was to say.
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
