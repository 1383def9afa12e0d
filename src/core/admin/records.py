"""What has happened, what was missed, and what was mailed."""

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
from core.portal.cells import lines
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
    # The record is long: by the order in which it was written alone.
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
        """Each through its index: a part of a name is looked for among the names that there are, not in the record."""
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
    """By what is written, rather than by what the delivery log holds: to find that out would read all of it."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, kind) for kind in sorted(LETTER_WRITERS)]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Mail]") -> "QuerySet[Mail]":
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    list_display = ("queued", "news", "recipient", "state", "trouble", "message_id")
    list_display_links = ("news",)
    exported_columns = {
        "queued": ("queued_at",),
        "news": ("kind", "topic"),
        "recipient": ("user", "address"),
        "state": ("status", "attempts", "spoken_for_by"),
        "trouble": ("next_try_at", "what_went_wrong"),
    }
    read_by_columns = ("error",)
    # Which other mail speaks for it is shown by its number alone.
    list_select_related = ("user",)
    list_filter = ("status", KindFilter)
    # Each has an index; the delivery log is long.
    sortable_by = ("queued", "news", "state")
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

    @admin.display(description="queued", ordering="queued_at")
    def queued(self, mail: Mail) -> str:
        return render_instant(mail.queued_at)

    @admin.display(description="news", ordering="kind")
    def news(self, mail: Mail) -> str:
        return lines(mail.kind, mail.topic)

    @admin.display(description="to")
    def recipient(self, mail: Mail) -> str:
        return lines(mail.address, mail.user and mail.user.username)

    @admin.display(description="status", ordering="status")
    def state(self, mail: Mail) -> str:
        attempts = f"{mail.attempts} attempt{'' if mail.attempts == 1 else 's'}" if mail.attempts else ""
        instead = format_html("superseded by {}", self._link_to(mail.superseded_by_id)) if mail.superseded_by_id else ""
        return lines(Mail.Status(mail.status).label, attempts, instead)

    @admin.display(description="next try and error", empty_value="-")
    def trouble(self, mail: Mail) -> str | None:
        error = self.what_went_wrong(mail)
        if mail.next_try_at is None:
            return error or None
        return lines(render_instant(mail.next_try_at), error)

    @admin.display(description="error", empty_value="-")
    def what_went_wrong(self, mail: Mail) -> str:
        return Truncator(mail.error).chars(80) if len(mail.error) > 80 else mail.error

    @admin.display(description="superseded by", empty_value="-")
    def spoken_for_by(self, mail: Mail) -> str | None:
        return self._link_to(mail.superseded_by_id)

    @admin.display(description="supersedes", empty_value="-")
    def speaks_for(self, mail: Mail) -> str:
        others = mail.supersedes.order_by("pk").values_list("pk", flat=True)
        return format_html_join(", ", "{}", ((self._link_to(other),) for other in others))

    @admin.display(description="Message-ID")
    def message_id(self, mail: Mail) -> str:
        return format_html('<span class="portal-code">{}</span>', build_message_id(mail))

    def _link_to(self, mail_id: int | None) -> str | None:
        if mail_id is None:
            return None
        return format_html('<a href="{}">{}</a>', reverse("admin:core_mail_change", args=[mail_id]), mail_id)

    @admin.action(description="Send again", permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Mail]) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        queued = retry_mail(mail_ids=chosen)
        if queued:
            self.message_user(request, f"{queued} will be sent again.", messages.SUCCESS)
        if queued < len(chosen):
            self.message_user(request, f"{len(chosen) - queued} did not fail and stay as they are.", messages.WARNING)
