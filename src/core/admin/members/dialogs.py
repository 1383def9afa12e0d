"""Deactivating and reactivating a member: dialogs that say what comes of it before it is done."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from core.accounts import deactivation
from core.accounts.events import TOLD_OTHERS, Consequence, ConsequencesAsked
from core.accounts.models import User
from core.accounts.policy import VIEW, explain_refused_deactivation
from core.admin.read_only import get_acting_member
from core.errors import DomainError
from core.portal.dialogs import leave_dialog, render_dialog
from core.text.limits import MAX_REASON_LENGTH

CONFIRMING = "confirming"


class DeactivationForm(forms.Form):
    """Why, what others read of it, and the consequences that whoever confirms has read."""

    reason = forms.CharField(
        max_length=MAX_REASON_LENGTH,
        error_messages={"required": "Say why: the member reads it, and it stays in the record."},
    )
    told = forms.CharField(
        max_length=MAX_REASON_LENGTH,
        initial=TOLD_OTHERS,
        error_messages={"required": "Say what others read: it is sent to them."},
    )
    read = forms.CharField(required=False)

    def __init__(self, *args: Any, concerns_others: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["told"].required = concerns_others


class ReactivationForm(forms.Form):
    reason = forms.CharField(max_length=MAX_REASON_LENGTH, required=False)


class DeactivationDialogs:
    """The addresses of both, under that of a member and for POST alone: they show the dialog, and act once it is
    confirmed."""

    @property
    def dialogs(self) -> dict[str, Callable[..., HttpResponse]]:
        return {
            "deactivate": require_POST(self.deactivate_view),
            "reactivate": require_POST(self.reactivate_view),
        }

    def deactivate_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        member, by = _load_member_and_actor(request, object_id)
        if not member.is_active:
            return _render_too_late(request, member)
        consequences = list_consequences(member, by)
        is_confirming = CONFIRMING in request.POST
        form = DeactivationForm(request.POST if is_confirming else None, concerns_others=bool(consequences))
        is_as_read = form["read"].value() == summarize_consequences(consequences)
        if not (is_confirming and is_as_read and form.is_valid()):
            context = {
                "action": reverse("admin:core_user_deactivate", args=[member.pk]),
                "title": f"Deactivate {member.display_name}",
                "member": member,
                "form": form,
                "consequences": consequences,
                "read": summarize_consequences(consequences),
                "has_changed": is_confirming and not is_as_read,
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
        return leave_dialog(request, _page_of(member))

    def reactivate_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        member, by = _load_member_and_actor(request, object_id)
        if member.is_active:
            return _render_too_late(request, member)
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
        return leave_dialog(request, _page_of(member))


def list_consequences(member: User, by: User) -> list[Consequence]:
    """What comes of it in all modules; of a member who is deactivated already, what is still to come."""
    answers = ConsequencesAsked(member_id=member.pk, by_id=by.pk).ask_all()
    return [consequence for answer in answers for consequence in answer]


def summarize_consequences(consequences: Sequence[Consequence]) -> str:
    """What the form carries from the dialog that was read to the one that is confirmed."""
    return " ".join(f"{each.key}={each.count}" for each in consequences)


def _load_member_and_actor(request: HttpRequest, member_id: int) -> tuple[User, User]:
    by = get_acting_member(request)
    member = User.objects.filter(pk=member_id).first()
    # Who may not deactivate anybody does not learn who there is either.
    if member is None and by.has_perm(VIEW):
        raise Http404
    if member is None or explain_refused_deactivation(member, by) is not None:
        raise PermissionDenied
    return member, by


def _render_too_late(request: HttpRequest, member: User) -> HttpResponse:
    messages.warning(request, deactivation.describe_status(member))
    return leave_dialog(request, _page_of(member))


def _page_of(member: User) -> str:
    return reverse("admin:core_user_change", args=[member.pk])
