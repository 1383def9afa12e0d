"""The read-only admin of booking requests, reminders and calendar feeds."""

from django.contrib import admin

from core.admin.read_only import ReadOnlyAdmin
from core.portal.times import render_instant
from modules.sessions.models import BookingRequest, CalendarFeed, Reminder


@admin.register(BookingRequest)
class BookingRequestAdmin(ReadOnlyAdmin):
    list_display = ("requested", "user", "session", "status", "role", "joined")
    list_display_links = ("user",)
    exported_columns = {"requested": ("requested_at",), "joined": ("joined_at",)}
    # Only by primary key, since there are many rows.
    sortable_by = ("requested",)
    list_filter = ("status", "role")
    link_lookups = ("session__id__exact", "user__id__exact")
    list_select_related = ("user", "session")
    search_fields = ("user__username", "session__title")
    ordering = ("-id",)

    @admin.display(description="requested", ordering="id")
    def requested(self, booking_request: BookingRequest) -> str:
        return render_instant(booking_request.requested_at)

    @admin.display(description="joined")
    def joined(self, booking_request: BookingRequest) -> str:
        return render_instant(booking_request.joined_at)


@admin.register(Reminder)
class ReminderAdmin(ReadOnlyAdmin):
    list_display = ("created", "user", "session", "minutes_before", "starts")
    list_display_links = ("user",)
    exported_columns = {"created": ("created_at",), "starts": ("starts_at",)}
    sortable_by = ("created",)
    list_select_related = ("user", "session")
    ordering = ("-id",)

    @admin.display(description="reminded", ordering="id")
    def created(self, reminder: Reminder) -> str:
        return render_instant(reminder.created_at)

    @admin.display(description="of the start")
    def starts(self, reminder: Reminder) -> str:
        return render_instant(reminder.starts_at)


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ReadOnlyAdmin):
    """Shows calendar feeds without their keys, which nobody may see."""

    list_display = ("user", "created", "last_used")
    exported_columns = {"created": ("created_at",), "last_used": ("last_used_at",)}
    sortable_by = ("created",)
    list_select_related = ("user",)
    search_fields = ("user__username",)
    ordering = ("-id",)
    fields = ("user", "created_at", "last_used_at")

    @admin.display(description="created", ordering="id")
    def created(self, feed: CalendarFeed) -> str:
        return render_instant(feed.created_at)

    @admin.display(description="last used")
    def last_used(self, feed: CalendarFeed) -> str:
        return render_instant(feed.last_used_at)
