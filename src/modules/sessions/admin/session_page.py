"""The page about a session: panels in tabs, and the actions of moderators."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST, require_safe

from core.accounts.models import User
from core.admin.read_only import get_acting_member
from core.http.origin import get_origin
from core.portal.ids import parse_id
from core.portal.panels import sort_panels
from core.time import clock
from modules.sessions.admin.action_dialogs import ActionDialogs
from modules.sessions.admin.decision_dialog import describe_decision
from modules.sessions.admin.session_actions import list_actions
from modules.sessions.admin.session_panels import build_panels, get_record_url, load_history
from modules.sessions.events import PanelsOfSession
from modules.sessions.models import Session
from modules.sessions.policy import acts_as_moderator, build_viewer, is_before_start
from modules.sessions.queries.evidence import load_leases
from modules.sessions.states import NOT_TAKING_PLACE, OPEN, Status

# CSS classes of the statuses.
STYLES = {
    Status.PENDING_APPROVAL: "portal-mark-open",
    **dict.fromkeys(OPEN | {Status.ONGOING}, "portal-mark-good"),
    **dict.fromkeys(NOT_TAKING_PLACE, "portal-mark-bad"),
}
RECORD_URL_NAME = "learning_sessions_session_record"


class SessionPage(ActionDialogs):
    """Replaces Django's change form, for everybody who may view sessions."""

    admin_site: Any
    opts: Any
    get_object: Any
    has_view_or_change_permission: Any
    _get_obj_does_not_exist_redirect: Any

    def get_urls(self) -> list[URLPattern]:
        dialogs = [
            path(f"<int:object_id>/{suffix}/", self.admin_site.admin_view(require_POST(view)), name=name)
            for suffix, (name, view) in self.dialogs.items()
        ]
        record: Callable[..., HttpResponse] = self.admin_site.admin_view(require_safe(self.record_view))
        others: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [*dialogs, path("<int:object_id>/record/", record, name=RECORD_URL_NAME), *others]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the page, which is read-only: changes are made in dialogs."""
        viewer = self._require_viewer(request)
        session = self.get_object(request, object_id)
        if session is None:
            missing: HttpResponseRedirect = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        now = clock.now()
        can_moderate = acts_as_moderator(session, build_viewer(viewer))
        of_modules = PanelsOfSession(
            session_id=session.pk, viewer=viewer, can_moderate=can_moderate, origin=get_origin(request)
        ).ask_all()
        context = {
            "panels": sort_panels([build_panels(session, viewer, can_moderate=can_moderate), *of_modules]),
            "actions": list_actions(session) if can_moderate else (),
            "may_remove_participants": can_moderate and is_before_start(session, now),
            "deciding": describe_decision(request, session),
            "lease": load_leases([session.pk], now).get(session.pk),
            **(extra_context or {}),
        }
        return self._show_page(request, session, viewer, "session_page.html", context)

    def record_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Show the history of a session, from the fact in the URL backwards."""
        viewer = self._require_viewer(request)
        session = self.get_object(request, str(object_id))
        if session is None:
            raise Http404
        history = load_history(
            session,
            viewer,
            can_moderate=acts_as_moderator(session, build_viewer(viewer)),
            before=parse_id(request.GET.get("before")),
        )
        if history is None:
            raise PermissionDenied
        context = {"history": history, "older_url": get_record_url(session)}
        return self._show_page(request, session, viewer, "session_record.html", context)

    def _require_viewer(self, request: HttpRequest) -> User:
        if request.method not in {"GET", "HEAD"} or not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return get_acting_member(request)

    def _show_page(
        self, request: HttpRequest, session: Session, viewer: User, template: str, context: dict[str, Any]
    ) -> HttpResponse:
        request.current_app = self.admin_site.name
        page = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": session.title,
            "session": session,
            "state_style": STYLES.get(Status(session.status), ""),
            "viewer": viewer,
            "page_url": reverse("admin:learning_sessions_session_change", args=[session.pk]),
            **context,
        }
        return TemplateResponse(request, f"admin/learning_sessions/{template}", page)
