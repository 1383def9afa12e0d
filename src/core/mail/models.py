"""The ledger of mails: what has to be sent is a row first."""

from django.conf import settings
from django.db import models

from core import clock


class Mail(models.Model):
    """One mail to one address. It holds no text: that is written when it is sent, so that no secret rests here."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        SENT = "sent"
        FAILED = "failed"
        DROPPED = "dropped", "dropped: nobody to write to"

    kind = models.CharField(max_length=50)
    address = models.EmailField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    # Their `token_version` when it was queued: a letter that carries a secret is not written once that has moved on.
    member_version = models.PositiveIntegerField(null=True, editable=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    queued_at = models.DateTimeField(default=clock.now)
    next_try_at = models.DateTimeField(null=True, default=clock.now)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_try_at"], name="mail_due", condition=models.Q(next_try_at__isnull=False)),
            models.Index(fields=["-queued_at"], name="mail_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.address}"
