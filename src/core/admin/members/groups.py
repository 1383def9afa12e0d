"""The admin of groups and logins."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from core.accounts.events import GroupChanged
from core.accounts.models import Login
from core.admin.read_only import ReadOnlyAdmin, get_acting_member
from core.facts.publish import Changes, publish
from core.portal.lists import PortalAdmin, is_superuser

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, PortalAdmin):
    """Groups, which only superusers change, since they grant rights; each change is published."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        group = form.instance
        before = {"name": form.initial.get("name", ""), "permissions": _list_permissions(group)}
        super().save_related(request, form, formsets, change)
        after = {"name": group.name, "permissions": _list_permissions(group)}
        self._publish_change(
            request, group, {name: (before[name], after[name]) for name in after if before[name] != after[name]}
        )

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        self._publish_change(request, obj, {"name": (obj.name, ""), "permissions": (_list_permissions(obj), [])})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Group]") -> None:
        with transaction.atomic():
            for group in queryset:
                self.delete_model(request, group)

    def _publish_change(self, request: HttpRequest, group: Group, changes: Changes) -> None:
        if changes:
            publish(GroupChanged(group_id=group.pk, group=group.name), by=get_acting_member(request), changes=changes)


def _list_permissions(group: Group) -> list[str]:
    return sorted(str(permission) for permission in group.permissions.all())


@admin.register(Login)
class LoginAdmin(ReadOnlyAdmin):
    list_display = ("user", "created_at", "last_used_at", "user_agent", "ended_at")
    # Only by primary key, since there are many rows.
    sortable_by = ()
    list_select_related = ("user",)
    search_fields = ("user__username", "user__email")
    ordering = ("-id",)
