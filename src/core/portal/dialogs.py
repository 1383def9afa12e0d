"""Dialogs: what asks before it changes anything.

A button with `data-dialog="<url>"` posts to that address, with the rows that are ticked where it stands in a list, and
shows the answer in a dialog (static/portal/dialogs.js). The form in it posts to where it says; an answer of
`dialog_page` is shown in its place (what was wrong), and `leave_dialog` ends it. So no change is ever a link.
"""

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme


def render_dialog(request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
    """The content of a dialog; the template extends `portal/dialog.html`."""
    return TemplateResponse(request, template, context)


def leave_dialog(request: HttpRequest, url: str) -> HttpResponse:
    """Close the dialog and go to an address of ours, where the messages say how it went."""
    if not request.headers.get("HX-Request"):
        return HttpResponseRedirect(url)
    here, there = urlsplit(request.headers.get("HX-Current-URL", "")), urlsplit(url)
    # To a browser, another tab of the same page is no other page: it is loaded anew, with the tab that is open in it.
    # Any other is gone to, since a browser may tick again in a list that it loads anew what was ticked before.
    stays = (here.path, here.query) == (there.path, there.query) and bool(here.fragment or there.fragment)
    return HttpResponse(status=204, headers={"HX-Refresh": "true"} if stays else {"HX-Redirect": url})


def find_way_back(request: HttpRequest, otherwise: str) -> str:
    """Where a dialog was opened, as its `back` says: an address in the admin, or what there is `otherwise`."""
    back = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith(reverse("admin:index"))
    # It becomes a header of the answer.
    return back if is_ours and back.isprintable() else otherwise
