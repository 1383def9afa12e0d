"""What gives members rights, and where they are logged in."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group

from core.accounts.models import Login
from core.admin.read_only import ReadOnlyAdmin
from core.portal.lists import PortalAdmin

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, PortalAdmin):
    pass


@admin.register(Login)
class LoginAdmin(ReadOnlyAdmin):
    list_display = ("user", "created_at", "last_used_at", "user_agent", "ended_at")
    # There is one for each time that somebody logged in: they stay in that order.
    sortable_by = ()
    list_select_related = ("user",)
    search_fields = ("user__username", "user__email")
    ordering = ("-id",)
