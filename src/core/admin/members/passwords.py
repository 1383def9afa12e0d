"""The admin page for changing one's own password, by the same service as the API."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse_lazy
from unfold.forms import AdminOwnPasswordChangeForm

from core.accounts.models import User
from core.accounts.services import change_password
from core.admin.read_only import get_acting_member
from core.errors import Invalid

# The form's fields by those of the service.
FIELDS = {"old_password": "old_password", "new_password": "new_password2"}


class OwnPasswordView(PasswordChangeView):
    """Replaces Django's view, whose form writes back the whole row of the member as it was read."""

    form_class = AdminOwnPasswordChangeForm
    template_name = "registration/password_change_form.html"
    success_url = reverse_lazy("admin:password_change_done")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**admin.site.each_context(self.request), **super().get_context_data(**kwargs)}

    def form_valid(self, form: Any) -> HttpResponse:
        member = get_acting_member(self.request)
        old, new = form.cleaned_data["old_password"], form.cleaned_data["new_password1"]
        try:
            change_password(user=member, old_password=old, new_password=new)
        except Invalid as error:
            # The old password was changed since the form checked it.
            for name, sentences in error.fields.items():
                form.add_error(FIELDS[name], sentences)
            return self.form_invalid(form)
        update_session_auth_hash(self.request, User.objects.get(pk=member.pk))
        return HttpResponseRedirect(self.get_success_url())


def change_own_password(request: HttpRequest) -> HttpResponseBase:
    request.current_app = admin.site.name
    return OwnPasswordView.as_view()(request)
