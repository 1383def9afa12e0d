"""What members were told, for those who look into a question or a complaint. Nothing can be changed here."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin.read_only import ReadOnlyAdmin
from modules.notifications.models import Notification


class ReadFilter(admin.SimpleListFilter):
    title = "read"
    parameter_name = "read"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Notification]") -> "QuerySet[Notification]":
        if self.value() in {"yes", "no"}:
            return queryset.filter(read_at__isnull=self.value() == "no")
        return queryset


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "user", "type", "title", "was_read")
    list_display_links = ("title",)
    list_filter = ("type", ReadFilter)
    list_select_related = ("user",)
    search_fields = ("user__username", "user__first_name", "user__last_name", "user__email")
    search_help_text = "A member's user name, name or address."
    ordering = ("-id",)
    fields = ("user", "type", "title", "message", "session_id", "created_at", "read_at", "fact")

    @admin.display(boolean=True, description="read")
    def was_read(self, notification: Notification) -> bool:
        return notification.read_at is not None
