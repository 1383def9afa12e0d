"""The admin of sessions: the list, the dialog for decisions, and the page about a session."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from core.admin.read_only import ReadOnlyAdmin
from modules.sessions.admin.decision_dialog import DecisionDialog
from modules.sessions.admin.outcomes import OutcomeFilter
from modules.sessions.admin.session_list import LINK_LOOKUPS, SessionChangeList, SessionColumns, StartFilter
from modules.sessions.admin.session_page import SessionPage
from modules.sessions.models import Session
from modules.sessions.policy import MODERATE


@admin.register(Session)
class SessionAdmin(SessionPage, DecisionDialog, SessionColumns, ReadOnlyAdmin):
    list_before_template = "admin/learning_sessions/list_header.html"
    list_filter = ("status", OutcomeFilter, "level", StartFilter)
    link_lookups = tuple(LINK_LOOKUPS)
    sortable_by = ("start", "waiting", "offered")
    list_select_related = ("creator",)
    search_fields = ("title", "subject", "creator__username", "creator__first_name", "creator__last_name")
    search_help_text = "Title, subject or the creator's name."

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[SessionChangeList]:
        return SessionChangeList

    def has_moderate_permission(self, request: HttpRequest, _object_id: object = None) -> bool:
        return request.user.has_perm(MODERATE)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"may_decide": self.has_moderate_permission(request), **(extra_context or {})}
        return super().changelist_view(request, context)
