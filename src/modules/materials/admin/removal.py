"""The dialog in which moderators remove a material of another member's session, with a reason."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from core.accounts.models import User
from core.admin.read_only import get_acting_member
from core.errors import DomainError
from core.portal.dialogs import close_dialog, get_back_url, render_dialog
from core.text.limits import MAX_REASON_LENGTH
from modules.materials import services
from modules.materials.events import SessionAccessAsked
from modules.materials.models import Material

CONFIRMING = "confirming"
URL_NAME = "materials_material_remove"


class RemovalForm(forms.Form):
    reason = forms.CharField(max_length=MAX_REASON_LENGTH, error_messages={"required": "Say why."})


class RemovalDialog:
    """The view of the dialog, for POST only, and for moderators of the session; the service checks this again."""

    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.remove_view))
        others: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [path("<int:object_id>/remove/", view, name=URL_NAME), *others]

    def remove_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        by = get_acting_member(request)
        material = Material.objects.select_related("uploaded_by").filter(pk=object_id).first()
        back = get_back_url(request, reverse("admin:materials_material_changelist"))
        if material is None:
            # Others must not learn which materials exist.
            if not by.has_perm("materials.view_material"):
                raise PermissionDenied
            messages.warning(request, "This material is no longer there.")
            return close_dialog(request, back)
        _require_moderating(material, by)
        form = RemovalForm(request.POST if CONFIRMING in request.POST else None)
        if not form.is_valid():
            context = {
                "action": reverse(f"admin:{URL_NAME}", args=[material.pk]),
                "title": f"Remove {material.title}",
                "material": material,
                "notifies": material.uploaded_by_id != by.pk,
                "form": form,
                "back": back,
            }
            return render_dialog(request, "admin/materials/remove.html", context)
        try:
            services.remove_material(
                session_id=material.session_id, material_id=material.pk, by=by, reason=form.cleaned_data["reason"]
            )
        except DomainError as error:
            messages.error(request, f"{material.title}: {error.message}")
        else:
            messages.success(request, f"{material.title} was removed.")
        return close_dialog(request, back)


def _require_moderating(material: Material, by: User) -> None:
    access = SessionAccessAsked(session_id=material.session_id, viewer=by).ask()
    if access is None or not access.can_moderate:
        raise PermissionDenied
