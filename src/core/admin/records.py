"""The admin of facts, failed deliveries and the delivery log of mail."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator

from core.admin.read_only import ReadOnlyAdmin
from core.facts.base import Fact
from core.facts.delivery import retry_delivery
from core.facts.models import FactRecord, FailedDelivery
from core.mail.letters import LETTER_WRITERS
from core.mail.models import Mail
from core.mail.rendering import build_message_id
from core.mail.services import retry_mail
from core.portal.cells import render_lines
from core.portal.ids import parse_id
from core.portal.searching import is_findable
from core.portal.times import render_instant
from core.text.normalization import strip_blanks


@admin.register(FactRecord)
class FactRecordAdmin(ReadOnlyAdmin):
    list_display = ("occurred", "name", "session_id", "member_id", "actor", "reason")
    list_display_links = ("name",)
    exported_columns = {"occurred": ("occurred_at",)}
    list_select_related = ("actor",)
    # Only by primary key, since there are many rows.
    sortable_by = ("occurred",)
    search_fields = ("name", "session_id", "member_id", "request_id")
    search_help_text = "The id of a session, a member or a request, or the name of a fact."
    ordering = ("-id",)

    @admin.display(description="when", ordering="id")
    def occurred(self, record: FactRecord) -> str:
        return render_instant(record.occurred_at)

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[FactRecord]", search_term: str
    ) -> "tuple[QuerySet[FactRecord], bool]":
        """Search by indexes: a part of a name is matched against the registered facts, not against the table."""
        term = strip_blanks(search_term)
        if not term:
            return queryset, False
        if not is_findable(term):
            return queryset.none(), False
        names = [name for name in Fact.kinds if term.casefold() in name.casefold()]
        found = Q(name__in=names or [term]) | Q(request_id=term)
        if (number := parse_id(term)) is not None:
            found |= Q(session_id=number) | Q(member_id=number)
        return queryset.filter(found), False


@admin.register(FailedDelivery)
class FailedDeliveryAdmin(ReadOnlyAdmin):
    list_display = ("failed", "fact", "receiver", "attempts", "next_try", "delivered")
    list_display_links = ("fact",)
    exported_columns = {"failed": ("failed_at",), "next_try": ("next_try_at",), "delivered": ("delivered_at",)}
    list_select_related = ("fact",)
    list_filter = (("delivered_at", admin.EmptyFieldListFilter),)
    sortable_by = ("failed",)
    ordering = ("-id",)
    actions = ("deliver_now",)

    @admin.display(description="failed", ordering="id")
    def failed(self, failure: FailedDelivery) -> str:
        return render_instant(failure.failed_at)

    @admin.display(description="next try")
    def next_try(self, failure: FailedDelivery) -> str:
        return render_instant(failure.next_try_at)

    @admin.display(description="delivered")
    def delivered(self, failure: FailedDelivery) -> str:
        return render_instant(failure.delivered_at)

    def has_deliver_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("core.change_faileddelivery")

    @admin.action(description="Deliver now", permissions=["deliver"])
    def deliver_now(self, request: HttpRequest, queryset: QuerySet[FailedDelivery]) -> None:
        outcomes = [retry_delivery(failure.pk) for failure in queryset.order_by("pk")]
        failed = outcomes.count(False)
        if failed:
            self.message_user(request, f"{failed} could still not be delivered.", messages.ERROR)
        if len(outcomes) > failed:
            self.message_user(request, f"{len(outcomes) - failed} delivered.", messages.SUCCESS)


class KindFilter(admin.SimpleListFilter):
    """Offers the kinds that have a letter, since finding those in the delivery log would scan it."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, kind) for kind in sorted(LETTER_WRITERS)]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Mail]") -> "QuerySet[Mail]":
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    list_display = ("queued", "kind_and_topic", "recipient", "state", "next_try_and_error", "message_id")
    list_display_links = ("kind_and_topic",)
    exported_columns = {
        "queued": ("queued_at",),
        "kind_and_topic": ("kind", "topic"),
        "recipient": ("user", "address"),
        "state": ("status", "attempts", "superseded_by_link"),
        "next_try_and_error": ("next_try_at", "short_error"),
    }
    texts_in_columns = ("error",)
    list_select_related = ("user",)
    list_filter = ("status", KindFilter)
    # Only columns with an index, since there are many rows.
    sortable_by = ("queued", "kind_and_topic", "state")
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
        "superseded_by_link",
        "supersedes_links",
        "message_id",
    )
    actions = ("send_again",)

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("core.change_mail")

    @admin.display(description="queued", ordering="queued_at")
    def queued(self, mail: Mail) -> str:
        return render_instant(mail.queued_at)

    @admin.display(description="news", ordering="kind")
    def kind_and_topic(self, mail: Mail) -> str:
        return render_lines(mail.kind, mail.topic)

    @admin.display(description="to")
    def recipient(self, mail: Mail) -> str:
        return render_lines(mail.address, mail.user and mail.user.username)

    @admin.display(description="status", ordering="status")
    def state(self, mail: Mail) -> str:
        attempts = f"{mail.attempts} attempt{'' if mail.attempts == 1 else 's'}" if mail.attempts else ""
        superseded = (
            format_html("superseded by {}", self._render_link(mail.superseded_by_id)) if mail.superseded_by_id else ""
        )
        return render_lines(Mail.Status(mail.status).label, attempts, superseded)

    @admin.display(description="next try and error", empty_value="-")
    def next_try_and_error(self, mail: Mail) -> str | None:
        error = self.short_error(mail)
        if mail.next_try_at is None:
            return error or None
        return render_lines(render_instant(mail.next_try_at), error)

    @admin.display(description="error", empty_value="-")
    def short_error(self, mail: Mail) -> str:
        return Truncator(mail.error).chars(80) if len(mail.error) > 80 else mail.error

    @admin.display(description="superseded by", empty_value="-")
    def superseded_by_link(self, mail: Mail) -> str | None:
        return self._render_link(mail.superseded_by_id)

    @admin.display(description="supersedes", empty_value="-")
    def supersedes_links(self, mail: Mail) -> str:
        others = mail.supersedes.order_by("pk").values_list("pk", flat=True)
        return format_html_join(", ", "{}", ((self._render_link(other),) for other in others))

    @admin.display(description="Message-ID")
    def message_id(self, mail: Mail) -> str:
        return format_html('<span class="portal-code">{}</span>', build_message_id(mail))

    def _render_link(self, mail_id: int | None) -> str | None:
        if mail_id is None:
            return None
        return format_html('<a href="{}">{}</a>', reverse("admin:core_mail_change", args=[mail_id]), mail_id)

    @admin.action(description="Send again", permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Mail]) -> None:
        mail_ids = list(queryset.values_list("pk", flat=True))
        queued = retry_mail(mail_ids=mail_ids)
        if queued:
            self.message_user(request, f"{queued} will be sent again.", messages.SUCCESS)
        if queued < len(mail_ids):
            self.message_user(request, f"{len(mail_ids) - queued} did not fail and stay as they are.", messages.WARNING)
