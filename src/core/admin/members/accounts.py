"""The admin of members: a list and a page about each for moderators, and forms for superusers."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from core.accounts import services
from core.accounts.events import MemberRegistered, ProfileChanged, RightsChanged
from core.accounts.models import User
from core.admin.members.dialogs import DeactivationDialogs
from core.admin.members.page import MemberPage
from core.admin.read_only import get_acting_member
from core.facts.publish import Changes, publish
from core.portal.ids import parse_id
from core.portal.lists import PortalAdmin, is_superuser
from core.portal.times import render_instant

PROFILE_FIELDS = ("username", "first_name", "last_name", "timezone")
FLAG_FIELDS = ("is_staff", "is_superuser")
PERMISSION_FIELDS = ("groups", "user_permissions")
# Not in the form: saving it must not write back what it had read before.
UNTOUCHED_FIELDS = ("password", "token_version", "is_active", "last_login")


@admin.register(User)
class UserAdmin(MemberPage, DeactivationDialogs, DjangoUserAdmin, PortalAdmin):  # type: ignore[type-arg]
    """Members are deactivated rather than deleted, since their sessions and facts refer to them."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "email", "is_active", "is_staff", "joined")
    list_filter = ("is_active", "is_staff")
    search_help_text = "A user name, a name, or a whole e-mail address."
    exported_columns = {"joined": ("date_joined",)}
    # By date of joining, through the index of the primary key.
    ordering = ("-id",)
    sortable_by = ("username",)
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "timezone")}),
        ("Rights", {"fields": ("is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "email", "usable_password", "password1", "password2")}),
    )

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        """Show addresses to superusers only: others must not export a list of them."""
        columns = super().get_list_display(request)
        return tuple(column for column in columns if column != "email" or is_superuser(request))

    @admin.display(description="name")
    def full_name(self, member: User) -> str:
        return member.get_full_name()

    @admin.display(description="joined")
    def joined(self, member: User) -> str:
        return render_instant(member.date_joined)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers only, since the form grants rights."""
        return is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, Callable[..., HttpResponse]] = {"edit": self.edit_view, **self.dialogs, **self.pages}
        paths = [
            path(f"<int:object_id>/{name}/", self.admin_site.admin_view(view), name=f"core_user_{name}")
            for name, view in views.items()
        ]
        return [*paths, *super().get_urls()]

    # --- Changing, for superusers -------------------------------------------------------------------------------

    def edit_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        return self.changeform_view(request, str(object_id), "", {"title": "Edit member"})

    def response_post_save_change(self, request: HttpRequest, obj: User) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:core_user_change", args=[obj.pk]))

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        by = get_acting_member(request)
        if not change:
            super().save_model(request, obj, form, change)
            publish(MemberRegistered(member_id=obj.pk, username=obj.username), by=by)
            return
        before = User.objects.select_for_update().get(pk=obj.pk)
        for name in UNTOUCHED_FIELDS:
            setattr(obj, name, getattr(before, name))
        super().save_model(request, obj, form, change)
        if changes := _find_changes(before, obj, PROFILE_FIELDS):
            publish(ProfileChanged(member_id=obj.pk), by=by, changes=changes)
        if changes := _find_changes(before, obj, FLAG_FIELDS):
            publish(RightsChanged(member_id=obj.pk), by=by, changes=changes)
        if obj.email != before.email:
            services.record_address_change(obj, before=before.email, by=by)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        before = _list_permissions(form.instance)
        super().save_related(request, form, formsets, change)
        after = _list_permissions(form.instance)
        if changes := {name: (before[name], after[name]) for name in PERMISSION_FIELDS if before[name] != after[name]}:
            publish(RightsChanged(member_id=form.instance.pk), by=get_acting_member(request), changes=changes)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        if request.method != "POST":
            return super().user_change_password(request, id, form_url)
        with transaction.atomic():
            # Django writes the whole row: the lock prevents that it overwrites a concurrent change.
            before = User.objects.select_for_update(no_key=True).filter(pk=parse_id(id) or 0).first()
            response = super().user_change_password(request, id, form_url)
            after = User.objects.filter(pk=before.pk).first() if before else None
            if before and after and after.password != before.password:
                services.record_password_change(after, by=get_acting_member(request))
        return response


def _find_changes(before: User, after: User, names: tuple[str, ...]) -> Changes:
    values = {name: (getattr(before, name), getattr(after, name)) for name in names}
    return {name: (old, new) for name, (old, new) in values.items() if old != new}


def _list_permissions(member: User) -> dict[str, list[str]]:
    return {name: sorted(str(each) for each in getattr(member, name).all()) for name in PERMISSION_FIELDS}
