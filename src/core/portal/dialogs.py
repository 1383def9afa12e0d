"""Dialogs, in which every change is confirmed.

A button with `data-dialog="<url>"` posts to that URL, in a list with the selected rows, and shows the response in a
dialog (static/portal/dialogs.js). The form in it posts to its own URL: the response of `render_dialog` replaces the
content, for instance with errors, and that of `close_dialog` closes it. So every change is a POST.
"""

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme


def render_dialog(request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
    """Render the content of a dialog by a template that extends `portal/dialog.html`."""
    return TemplateResponse(request, template, context)


def close_dialog(request: HttpRequest, url: str) -> HttpResponse:
    """Close the dialog and go to a URL of the portal, which shows the messages."""
    if not request.headers.get("HX-Request"):
        return HttpResponseRedirect(url)
    current, target = urlsplit(request.headers.get("HX-Current-URL", "")), urlsplit(url)
    # A redirect to another fragment of the same page loads nothing: a page with tabs is reloaded. A list is redirected
    # to, since browsers restore the ticked checkboxes on a reload.
    is_same_page = (current.path, current.query) == (target.path, target.query)
    reloads = is_same_page and bool(current.fragment or target.fragment)
    return HttpResponse(status=204, headers={"HX-Refresh": "true"} if reloads else {"HX-Redirect": url})


def get_back_url(request: HttpRequest, default: str) -> str:
    """Return the URL in the field `back`, where the dialog was opened, if it is in the portal; else the default."""
    back = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith(reverse("admin:index"))
    # It becomes a response header.
    return back if is_ours and back.isprintable() else default
