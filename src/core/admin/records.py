"""What has happened, what was missed, and what was mailed."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator

from core.admin.read_only import ReadOnlyAdmin
from core.facts.delivery import serve_now
from core.facts.models import FactRecord, FailedDelivery
from core.mail.letters import WRITERS
from core.mail.models import Mail
from core.mail.rendering import message_id
from core.mail.services import send_again


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


class KindFilter(admin.SimpleListFilter):
    """By what is written, rather than by what the ledger holds: to find that out would read all of it."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, kind) for kind in sorted(WRITERS)]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Mail]") -> "QuerySet[Mail]":
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    list_display = (
        "queued_at",
        "kind",
        "user",
        "address",
        "topic",
        "status",
        "attempts",
        "next_try_at",
        "what_went_wrong",
        "spoken_for_by",
        "message_id",
    )
    list_display_links = ("kind",)
    # Which other mail speaks for it is shown by its number alone.
    list_select_related = ("user",)
    list_filter = ("status", KindFilter)
    # Each has an index; the ledger is long.
    sortable_by = ("queued_at", "kind", "status")
    search_fields = ("address", "user__username")
    search_help_text = "An address or a user name."
    ordering = ("-id",)
    fields = (
        "kind",
        "user",
        "address",
        "topic",
        "status",
        "attempts",
        "queued_at",
        "next_try_at",
        "sent_at",
        "error",
        "spoken_for_by",
        "speaks_for",
        "message_id",
    )
    actions = ("send_again",)

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("core.change_mail")

    @admin.display(description="error", empty_value="-")
    def what_went_wrong(self, mail: Mail) -> str:
        return Truncator(mail.error).chars(80)

    @admin.display(description="superseded by", empty_value="-")
    def spoken_for_by(self, mail: Mail) -> str | None:
        return self._link_to(mail.superseded_by_id)

    @admin.display(description="supersedes", empty_value="-")
    def speaks_for(self, mail: Mail) -> str:
        others = mail.supersedes.order_by("pk").values_list("pk", flat=True)
        return format_html_join(", ", "{}", ((self._link_to(other),) for other in others))

    @admin.display(description="Message-ID")
    def message_id(self, mail: Mail) -> str:
        return message_id(mail)

    def _link_to(self, mail_id: int | None) -> str | None:
        if mail_id is None:
            return None
        return format_html('<a href="{}">{}</a>', reverse("admin:core_mail_change", args=[mail_id]), mail_id)

    @admin.action(description="Send again", permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Mail]) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        queued = send_again(mail_ids=chosen)
        if queued:
            self.message_user(request, f"{queued} will be sent again.", messages.SUCCESS)
        if queued < len(chosen):
            self.message_user(request, f"{len(chosen) - queued} did not fail and stay as they are.", messages.WARNING)
