"""Who asked to join, whom the worker reminded, and who lets calendar programs read."""

from django.contrib import admin

from core.admin.read_only import ReadOnlyAdmin
from modules.sessions.models import BookingRequest, CalendarFeed, Reminder


@admin.register(BookingRequest)
class BookingRequestAdmin(ReadOnlyAdmin):
    list_display = ("requested_at", "user", "session", "status", "role", "joined_at")
    list_display_links = ("user",)
    list_filter = ("status", "role")
    list_select_related = ("user", "session")
    search_fields = ("user__username", "session__title")
    ordering = ("-id",)


@admin.register(Reminder)
class ReminderAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "user", "session", "minutes_before", "starts_at")
    list_select_related = ("user", "session")
    ordering = ("-id",)


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ReadOnlyAdmin):
    """Who lets calendar programs read their sessions; the key is nobody's to see."""

    list_display = ("user", "created_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    ordering = ("-id",)
    fields = ("user", "created_at", "last_used_at")
