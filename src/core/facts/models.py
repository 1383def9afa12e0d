"""The record of facts, and the failed deliveries."""

from django.conf import settings
from django.db import models

from core.facts.base import Fact


class FactRecord(models.Model):
    """One fact: what happened, about which session and member, who did it, when, why, and in which HTTP request.

    Append-only. The history of the portal, the source of notifications, and the outbox for failed deliveries.
    """

    name = models.CharField(max_length=100)
    session_id = models.BigIntegerField(null=True)
    # Whom the fact is about; the actor is who caused it.
    member_id = models.BigIntegerField(null=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    occurred_at = models.DateTimeField()
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=32, blank=True)
    payload = models.JSONField()
    # {"title": ["before", "after"]}, plain values.
    changes = models.JSONField(default=dict)

    class Meta:
        verbose_name = "fact"
        indexes = [
            models.Index(fields=["session_id", "id"], name="fact_of_session"),
            models.Index(fields=["member_id", "id"], name="fact_about_member"),
            models.Index(fields=["actor", "id"], name="fact_by_actor"),
            models.Index(fields=["name", "id"], name="fact_by_name"),
            models.Index(fields=["request_id"], name="fact_by_request"),
        ]

    def __str__(self) -> str:
        return f"{self.name} #{self.pk}"

    @property
    def system_actor_label(self) -> str:
        """The label of a fact without an actor: the clock, or the system for what code decides.

        The system also stands for a member who followed a link without a login.
        """
        kind = Fact.kinds.get(self.name)
        is_by_system = self.member_id is not None or (kind is not None and kind.is_by_system)
        return "the system" if is_by_system else "the clock"


class FailedDelivery(models.Model):
    """A delivery whose receiver raised, and when it is retried."""

    fact = models.ForeignKey(FactRecord, on_delete=models.CASCADE, related_name="failed_deliveries")
    receiver = models.CharField(max_length=200)
    error = models.TextField()
    attempts = models.PositiveSmallIntegerField(default=1)
    failed_at = models.DateTimeField()
    # Null once delivered, or once given up.
    next_try_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "failed deliveries"
        constraints = [models.UniqueConstraint(fields=["fact", "receiver"], name="one_failure_a_receiver")]
        indexes = [
            models.Index(
                fields=["next_try_at"], name="failed_delivery_due", condition=models.Q(next_try_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"{self.receiver} missed fact {self.fact_id}"
