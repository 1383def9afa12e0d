"""The dialogs that deactivate and reactivate a member, after showing the consequences."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from core.accounts import deactivation
from core.accounts.events import DEFAULT_EXPLANATION, Consequence, ConsequencesAsked
from core.accounts.models import User
from core.accounts.policy import VIEW, check_deactivating
from core.admin.read_only import get_acting_member
from core.errors import DomainError
from core.portal.dialogs import close_dialog, render_dialog
from core.text.limits import MAX_REASON_LENGTH

CONFIRMING = "confirming"


class DeactivationForm(forms.Form):
    """The reason, the explanation for others (`told`), and the consequences that were shown (`read`)."""

    reason = forms.CharField(
        max_length=MAX_REASON_LENGTH,
        error_messages={"required": "Say why: the member reads it, and it stays in the record."},
    )
    told = forms.CharField(
        max_length=MAX_REASON_LENGTH,
        initial=DEFAULT_EXPLANATION,
        error_messages={"required": "Say what others read: it is sent to them."},
    )
    read = forms.CharField(required=False)

    def __init__(self, *args: Any, concerns_others: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["told"].required = concerns_others


class ReactivationForm(forms.Form):
    reason = forms.CharField(max_length=MAX_REASON_LENGTH, required=False)


class DeactivationDialogs:
    """The views of both dialogs, for POST only: they show the dialog, and act once it is confirmed."""

    @property
    def dialogs(self) -> dict[str, Callable[..., HttpResponse]]:
        """The views by the last part of their URLs."""
        return {
            "deactivate": require_POST(self.deactivate_view),
            "reactivate": require_POST(self.reactivate_view),
        }

    def deactivate_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        member, by = _load_member_and_actor(request, object_id)
        if not member.is_active:
            return _report_current_status(request, member)
        consequences = list_consequences(member, by)
        is_confirming = CONFIRMING in request.POST
        form = DeactivationForm(request.POST if is_confirming else None, concerns_others=bool(consequences))
        is_current = form["read"].value() == summarize_consequences(consequences)
        if not (is_confirming and is_current and form.is_valid()):
            context = {
                "action": reverse("admin:core_user_deactivate", args=[member.pk]),
                "title": f"Deactivate {member.display_name}",
                "member": member,
                "form": form,
                "consequences": consequences,
                "read": summarize_consequences(consequences),
                "has_changed": is_confirming and not is_current,
            }
            return render_dialog(request, "portal/members/deactivate.html", context)
        try:
            deactivation.deactivate_member(
                member_id=member.pk, by=by, reason=form.cleaned_data["reason"], told=form.cleaned_data["told"]
            )
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, f"{member.display_name} is deactivated.")
        return close_dialog(request, _get_page_url(member))

    def reactivate_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        member, by = _load_member_and_actor(request, object_id)
        if member.is_active:
            return _report_current_status(request, member)
        form = ReactivationForm(request.POST if CONFIRMING in request.POST else None)
        if not form.is_valid():
            context = {
                "action": reverse("admin:core_user_reactivate", args=[member.pk]),
                "title": f"Reactivate {member.display_name}",
                "member": member,
                "form": form,
            }
            return render_dialog(request, "portal/members/reactivate.html", context)
        try:
            deactivation.reactivate_member(member_id=member.pk, by=by, reason=form.cleaned_data["reason"])
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, f"{member.display_name} is active again.")
        return close_dialog(request, _get_page_url(member))


def list_consequences(member: User, by: User) -> list[Consequence]:
    """List the consequences of a deactivation in all modules; if it has happened already, those still pending."""
    answers = ConsequencesAsked(member_id=member.pk, by_id=by.pk).ask_all()
    return [consequence for answer in answers for consequence in answer]


def summarize_consequences(consequences: Sequence[Consequence]) -> str:
    """Return the form value by which a confirmation is rejected if the consequences have changed meanwhile."""
    return " ".join(f"{each.key}={each.count}" for each in consequences)


def _load_member_and_actor(request: HttpRequest, member_id: int) -> tuple[User, User]:
    by = get_acting_member(request)
    member = User.objects.filter(pk=member_id).first()
    # A 404 would tell who exists to somebody who may not know.
    if member is None and by.has_perm(VIEW):
        raise Http404
    if member is None or check_deactivating(member, by) is not None:
        raise PermissionDenied
    return member, by


def _report_current_status(request: HttpRequest, member: User) -> HttpResponse:
    messages.warning(request, deactivation.describe_status(member))
    return close_dialog(request, _get_page_url(member))


def _get_page_url(member: User) -> str:
    return reverse("admin:core_user_change", args=[member.pk])
