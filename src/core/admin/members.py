"""Members, groups and logins. What is changed here is recorded and told like what members change themselves."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from core.accounts import services
from core.accounts.events import MemberRegistered, ProfileChanged, RightsChanged
from core.accounts.models import Login, User
from core.admin.read_only import ReadOnlyAdmin, acting_member
from core.facts.publish import Changes, publish
from core.portal.lists import PortalAdmin

PROFILE = ("username", "first_name", "last_name", "timezone")
FLAGS = ("is_staff", "is_superuser")
ROLES = ("groups", "user_permissions")

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, PortalAdmin):
    pass


@admin.register(User)
class UserAdmin(DjangoUserAdmin, PortalAdmin):  # type: ignore[type-arg]
    """Members are deactivated rather than deleted: their sessions and the record go on naming them."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "first_name", "last_name", "is_active", "is_staff", "date_joined")
    ordering = ("-date_joined",)
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "timezone")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "email", "usable_password", "password1", "password2")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        by = acting_member(request)
        if not change:
            super().save_model(request, obj, form, change)
            publish(MemberRegistered(member_id=obj.pk, username=obj.username), by=by)
            return
        before = User.objects.select_for_update().get(pk=obj.pk)
        # A password or a new login that came meanwhile is not written back from the page.
        obj.password, obj.token_version = before.password, before.token_version
        wanted, obj.is_active = obj.is_active, before.is_active
        super().save_model(request, obj, form, change)
        if changes := _changes(before, obj, PROFILE):
            publish(ProfileChanged(member_id=obj.pk), by=by, changes=changes)
        if changes := _changes(before, obj, FLAGS):
            publish(RightsChanged(member_id=obj.pk), by=by, changes=changes)
        if obj.email != before.email:
            services.note_new_address(obj, before=before.email, by=by)
        if wanted != before.is_active:
            switch = services.reactivate_member if wanted else services.deactivate_member
            switch(member_id=obj.pk, by=by, reason="Set in the admin.")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        before = _roles(form.instance)
        super().save_related(request, form, formsets, change)
        after = _roles(form.instance)
        if changes := {name: (before[name], after[name]) for name in ROLES if before[name] != after[name]}:
            publish(RightsChanged(member_id=form.instance.pk), by=acting_member(request), changes=changes)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        with transaction.atomic():
            before = User.objects.filter(pk=id).first() if id.isdecimal() else None
            response = super().user_change_password(request, id, form_url)
            after = User.objects.filter(pk=before.pk).first() if before else None
            if before and after and after.password != before.password:
                services.note_new_password(after, by=acting_member(request))
        return response


@admin.register(Login)
class LoginAdmin(ReadOnlyAdmin):
    list_display = ("user", "created_at", "last_used_at", "user_agent", "ended_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__email")
    ordering = ("-id",)


def _changes(before: User, after: User, names: tuple[str, ...]) -> Changes:
    values = {name: (getattr(before, name), getattr(after, name)) for name in names}
    return {name: (old, new) for name, (old, new) in values.items() if old != new}


def _roles(member: User) -> dict[str, list[str]]:
    return {name: sorted(str(each) for each in getattr(member, name).all()) for name in ROLES}
