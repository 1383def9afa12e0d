"""The read-only admin of notifications and preferences, with explanations of why members were notified."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.decorators import action
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from core.accounts.models import User
from core.admin.read_only import ReadOnlyAdmin, get_acting_member
from core.facts.models import FactRecord
from core.portal.times import render_instant
from core.time.zones import load_zone
from modules.notifications.models import Notification, Preference
from modules.notifications.queries.why import Explanation, explain_facts

# How many facts about a session are explained, the latest first.
MAX_FACTS = 200


class WhyForm(forms.Form):
    """The member and the session that are asked about."""

    member = forms.CharField(
        label="Member", max_length=254, widget=UnfoldAdminTextInputWidget(), help_text="A user name or an address."
    )
    session = forms.IntegerField(
        label="Session",
        min_value=1,
        max_value=2**63 - 1,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Its id, the number in its address.",
    )

    def clean_member(self) -> User:
        try:
            return User.objects.get_by_natural_key(self.cleaned_data["member"])
        except User.DoesNotExist:
            raise forms.ValidationError("There is no such member.") from None


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
    list_display = ("created", "user", "kind", "title", "in_app", "by_mail", "was_read")
    list_display_links = ("title",)
    exported_columns = {"created": ("created_at",)}
    # Only by primary key, since there are many rows.
    sortable_by = ("created",)
    list_filter = ("kind", "in_app", "by_mail", ReadFilter)
    # `type` was a filter in earlier versions, whose URLs may be bookmarked.
    link_lookups = ("session_id__exact", "type__exact")
    list_select_related = ("user",)
    actions_list = ("why",)
    search_fields = ("user__username", "user__first_name", "user__last_name", "user__email")
    search_help_text = "A member's user name, name or address."
    ordering = ("-id",)
    fields = (
        *("user", "type", "title", "message", "session_id", "created_at", "read_at"),
        *("fact", "kind", "in_app", "by_mail", "chosen", "mail"),
    )

    @admin.display(description="told", ordering="id")
    def created(self, notification: Notification) -> str:
        return render_instant(notification.created_at)

    @admin.display(boolean=True, description="read")
    def was_read(self, notification: Notification) -> bool:
        return notification.read_at is not None

    @action(description="Why, or why not?", url_path="why", icon="help", permissions=["view"])
    def why(self, request: HttpRequest) -> HttpResponse:
        """Explain for each fact about a session whether a member was notified of it, and why."""
        form = WhyForm(request.GET or None)
        viewer = get_acting_member(request)
        zone = load_zone(viewer.timezone)
        context = {
            **self.admin_site.each_context(request),
            "title": "Why, or why not?",
            "opts": self.opts,
            "media": self.media,
            "form": form,
            "zone": zone,
            "explanations": _list_explanations(form, viewer) if form.is_valid() else None,
        }
        with timezone.override(zone):
            return TemplateResponse(request, "admin/notifications/why.html", context).render()


@admin.register(Preference)
class PreferenceAdmin(ReadOnlyAdmin):
    list_display = ("user", "kind", "in_app", "mail", "changed")
    exported_columns = {"changed": ("changed_at",)}
    sortable_by = ()
    list_filter = ("kind", "in_app", "mail")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__email")
    search_help_text = "A member's user name or address."
    ordering = ("-id",)

    @admin.display(description="changed")
    def changed(self, preference: Preference) -> str:
        return render_instant(preference.changed_at)


def _list_explanations(form: WhyForm, viewer: User) -> list[Explanation]:
    about = FactRecord.objects.filter(session_id=form.cleaned_data["session"]).select_related("actor")
    return explain_facts(list(about.order_by("-pk")[:MAX_FACTS]), form.cleaned_data["member"], viewer=viewer)
