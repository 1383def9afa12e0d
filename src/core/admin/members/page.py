"""The page about a member: account, history, and the panels of all modules, in tabs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from core.accounts.deactivation import find_last_change
from core.accounts.events import MemberReactivated
from core.accounts.models import Login, User
from core.accounts.policy import check_deactivating
from core.accounts.tokens import filter_open_logins
from core.admin.members.dialogs import list_consequences
from core.admin.members.record import list_member_history, may_read_record
from core.admin.read_only import get_acting_member
from core.portal.ids import parse_id
from core.portal.panels import Panel, PanelsOfMember, sort_panels


@dataclass(frozen=True, kw_only=True)
class Rights:
    """The rights of a member beyond those of every member."""

    staff: bool
    superuser: bool
    groups: tuple[str, ...]
    # How many permissions were granted to them directly.
    others: int


class MemberPage:
    """Replaces Django's change form, for everybody who may view members; `record.py` limits the history."""

    admin_site: Any
    opts: Any
    has_change_permission: Any
    has_view_or_change_permission: Any

    @property
    def pages(self) -> dict[str, Callable[..., HttpResponse]]:
        """The views by the last part of their URLs."""
        return {"record": require_safe(self.show_record)}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        member, viewer = self._load_member_and_viewer(request, object_id)
        panels = [_build_overview(member, viewer), *_build_history(member, viewer)]
        context = {
            "panels": sort_panels([panels, *PanelsOfMember(member=member, viewer=viewer).ask_all()]),
            "may_deactivate": check_deactivating(member, viewer) is None,
            "may_edit": self.has_change_permission(request),
        }
        return self._show(request, "portal/members/member.html", member, viewer, context)

    def show_record(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Show the history of a member, from the fact in the URL backwards."""
        member, viewer = self._load_member_and_viewer(request, str(object_id))
        history = list_member_history(member, viewer, before=parse_id(request.GET.get("before")))
        if history is None:
            raise PermissionDenied
        context = {"history": history, "older_url": _get_record_url(member)}
        return self._show(request, "portal/members/record.html", member, viewer, context)

    def _load_member_and_viewer(self, request: HttpRequest, object_id: str) -> tuple[User, User]:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        member = User.objects.defer("password").filter(pk=parse_id(object_id) or 0).first()
        if member is None:
            raise Http404
        return member, get_acting_member(request)

    def _show(
        self, request: HttpRequest, template: str, member: User, viewer: User, context: dict[str, Any]
    ) -> HttpResponse:
        request.current_app = self.admin_site.name
        page = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": member.display_name,
            "member": member,
            "viewer": viewer,
            **context,
        }
        return TemplateResponse(request, template, page)


def _build_overview(member: User, viewer: User) -> Panel:
    reads_record = may_read_record(member, viewer)
    change = find_last_change(member.pk) if reads_record else None
    return Panel(
        key="overview",
        title="Overview",
        template="portal/members/overview.html",
        rank=0,
        context={
            "rights": _load_rights(member),
            "last_seen": _load_last_seen(member),
            "reads_record": reads_record,
            # `is_active` may have been changed without the services, and so without a fact.
            "last_change": change if change and (change.name == MemberReactivated.name) == member.is_active else None,
            "pending_consequences": [] if member.is_active else list_consequences(member, viewer),
        },
    )


def _build_history(member: User, viewer: User) -> list[Panel]:
    history = list_member_history(member, viewer)
    if history is None:
        return []
    context = {"history": history, "older_url": _get_record_url(member)}
    return [Panel(key="history", title="History", template="portal/history.html", rank=100, context=context)]


def _load_rights(member: User) -> Rights:
    return Rights(
        staff=member.is_staff,
        superuser=member.is_superuser,
        groups=tuple(member.groups.order_by("name").values_list("name", flat=True)),
        others=member.user_permissions.count(),
    )


def _load_last_seen(member: User) -> dict[str, Any]:
    logins = Login.objects.filter(user=member).aggregate(
        open=Count("pk", filter=filter_open_logins()), last_used_at=Max("last_used_at")
    )
    instants: list[datetime] = [at for at in (logins["last_used_at"], member.last_login) if at]
    return {"at": max(instants, default=None), "logins": logins["open"]}


def _get_record_url(member: User) -> str:
    return reverse("admin:core_user_record", args=[member.pk])
