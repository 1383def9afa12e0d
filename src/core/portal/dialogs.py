"""Dialogs: what asks before it changes anything.

A button with `data-dialog="<url>"` posts to that address, with the rows that are ticked where it stands in a list, and
shows the answer in a dialog (static/portal/dialogs.js). The form in it posts to where it says; an answer of
`dialog_page` is shown in its place (what was wrong), and `leave_dialog` ends it. So no change is ever a link.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse


def dialog_page(request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
    """The content of a dialog; the template extends `portal/dialog.html`."""
    response = TemplateResponse(request, template, context)
    response["Cache-Control"] = "no-store"
    return response


def leave_dialog(request: HttpRequest, url: str) -> HttpResponse:
    """Close the dialog and go to an address of ours, where the messages say how it went."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)
