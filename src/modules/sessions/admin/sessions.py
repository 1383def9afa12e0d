"""Where moderators decide. Every decision goes through the services that the API uses, which check it again."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from core.admin.read_only import ReadOnlyAdmin, acting_member
from core.errors import DomainError
from modules.sessions.models import Session
from modules.sessions.policy import MODERATE
from modules.sessions.services import moderation
from modules.sessions.states import Status

Decision = Callable[[int], object]


class ReasonForm(forms.Form):
    """The reason that the creator will read."""

    reason = forms.CharField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}), max_length=1000)


class SecondLookFilter(admin.SimpleListFilter):
    title = "edited since approval"
    parameter_name = "second_look"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> QuerySet[Session]:
        return queryset.filter(second_look_since__isnull=False) if self.value() == "yes" else queryset


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    list_display = ("title", "creator", "subject", "date", "status", "places", "second_look", "hidden")
    list_filter = ("status", SecondLookFilter, "level")
    list_select_related = ("creator",)
    search_fields = ("title", "subject", "creator__username")
    search_help_text = "Title, subject or the creator's user name."
    ordering = ("-date", "-id")
    date_hierarchy = "date"
    actions = ("approve", "reject", "take_second_look", "hide", "show")
    actions_detail = ("decide",)
    fields = (
        *("title", "description", "subject", "level", "date", "duration", "max_participants", "participant_count"),
        *("creator", "status", "created_at", "updated_at", "approved_at", "decided_at", "decided_by"),
        *("hidden_at", "second_look_since"),
    )

    @admin.display(description="places")
    def places(self, session: Session) -> str:
        return f"{session.participant_count} of {session.max_participants}"

    @admin.display(boolean=True, description="edited since approval")
    def second_look(self, session: Session) -> bool:
        return session.second_look_since is not None

    @admin.display(boolean=True, description="hidden")
    def hidden(self, session: Session) -> bool:
        return session.hidden_at is not None

    def has_moderate_permission(self, request: HttpRequest, _object_id: object = None) -> bool:
        return request.user.has_perm(MODERATE)

    @admin.action(description="Approve", permissions=["moderate"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        by = acting_member(request)
        self._carry_out(request, queryset, "approved", lambda pk: moderation.approve_session(session_id=pk, by=by))

    @admin.action(description="Reject with a reason…", permissions=["moderate"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Session]) -> HttpResponse | None:
        form = ReasonForm(request.POST if "rejecting" in request.POST else None)
        if not form.is_valid():
            return self._ask_reason(request, form, queryset)
        by, reason = acting_member(request), form.cleaned_data["reason"]
        self._carry_out(
            request, queryset, "rejected", lambda pk: moderation.reject_session(session_id=pk, by=by, reason=reason)
        )
        return None

    @admin.action(description="Let the edits since approval stand", permissions=["moderate"])
    def take_second_look(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        by = acting_member(request)
        self._carry_out(request, queryset, "looked at", lambda pk: moderation.take_second_look(session_id=pk, by=by))

    @admin.action(description="Hide from members", permissions=["moderate"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        by = acting_member(request)
        self._carry_out(
            request, queryset, "hidden", lambda pk: moderation.hide_session(session_id=pk, by=by, reason="")
        )

    @admin.action(description="Show to members again", permissions=["moderate"])
    def show(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        by = acting_member(request)
        self._carry_out(request, queryset, "shown", lambda pk: moderation.show_session(session_id=pk, by=by, reason=""))

    @action(description="Approve or reject", url_path="decide", permissions=["moderate"], icon="gavel")
    def decide(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The page on which one session is decided. Opening it changes nothing; its buttons post."""
        sessions = Session.objects.filter(pk=object_id) if object_id.isdecimal() else Session.objects.none()
        by = acting_member(request)
        if "approving" in request.POST:
            self._carry_out(request, sessions, "approved", lambda pk: moderation.approve_session(session_id=pk, by=by))
            return _back_to(object_id)
        form = ReasonForm(request.POST if "rejecting" in request.POST else None)
        if not form.is_valid():
            return self._ask_reason(request, form, sessions, may_approve=True)
        reason = form.cleaned_data["reason"]
        self._carry_out(
            request, sessions, "rejected", lambda pk: moderation.reject_session(session_id=pk, by=by, reason=reason)
        )
        return _back_to(object_id)

    def _ask_reason(
        self, request: HttpRequest, form: ReasonForm, sessions: QuerySet[Session], *, may_approve: bool = False
    ) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Approve or reject" if may_approve else "Reject",
            "opts": self.opts,
            "media": self.media,
            "form": form,
            "sessions": sessions.select_related("creator").order_by("date"),
            "may_approve": may_approve,
            "pending": Status.PENDING_APPROVAL,
        }
        return TemplateResponse(request, "admin/learning_sessions/decide.html", context)

    def _carry_out(self, request: HttpRequest, sessions: Iterable[Session], outcome: str, decision: Decision) -> None:
        """Decide one session after the other; tells how each went."""
        for session in sessions:
            try:
                decision(session.pk)
            except DomainError as error:
                self.message_user(request, f"{session.title}: {error.message}", messages.ERROR)
            else:
                self.message_user(request, f"{session.title} was {outcome}.", messages.SUCCESS)


def _back_to(object_id: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:learning_sessions_session_change", args=[object_id]))
