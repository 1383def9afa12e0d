"""What has happened, what was missed, and what was mailed."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin.read_only import ReadOnlyAdmin
from core.facts.delivery import serve_now
from core.facts.models import FactRecord, FailedDelivery
from core.mail.models import Mail


@admin.register(FactRecord)
class FactRecordAdmin(ReadOnlyAdmin):
    list_display = ("occurred_at", "name", "session_id", "member_id", "actor", "reason")
    list_display_links = ("name",)
    list_select_related = ("actor",)
    search_fields = ("=session_id", "=member_id", "=request_id", "name")
    search_help_text = "The id of a session, a member or a request, or the name of a fact."
    ordering = ("-id",)


@admin.register(FailedDelivery)
class FailedDeliveryAdmin(ReadOnlyAdmin):
    list_display = ("failed_at", "fact", "receiver", "attempts", "next_try_at", "delivered_at")
    list_display_links = ("fact",)
    list_select_related = ("fact",)
    list_filter = (("delivered_at", admin.EmptyFieldListFilter),)
    ordering = ("-id",)
    actions = ("deliver_now",)

    def has_deliver_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("core.change_faileddelivery")

    @admin.action(description="Deliver now", permissions=["deliver"])
    def deliver_now(self, request: HttpRequest, queryset: QuerySet[FailedDelivery]) -> None:
        outcomes = [serve_now(failure.pk) for failure in queryset.order_by("pk")]
        failed = outcomes.count(False)
        if failed:
            self.message_user(request, f"{failed} could still not be delivered.", messages.ERROR)
        if len(outcomes) > failed:
            self.message_user(request, f"{len(outcomes) - failed} delivered.", messages.SUCCESS)


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    list_display = ("queued_at", "kind", "address", "status", "attempts", "next_try_at", "sent_at")
    list_display_links = ("kind",)
    list_filter = ("status", "kind")
    search_fields = ("address",)
    ordering = ("-id",)
