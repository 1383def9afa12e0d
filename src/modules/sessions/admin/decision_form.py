"""The form of the dialog for decisions, and the parsing of its requests."""

from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse

from core.portal.dialogs import get_back_url
from core.portal.ids import parse_id
from core.text.limits import MAX_REASON_LENGTH

LIST_URL_NAME = "admin:learning_sessions_session_changelist"
# A page of the list.
MAX_SESSIONS = 50
# Django's name of the checkboxes of a list.
SELECTED = "_selected_action"


class DecisionForm(forms.Form):
    """The decision and its reason. `back` is the URL of the page on which the dialog was opened."""

    decision = forms.ChoiceField(choices=[("approve", "Approve"), ("reject", "Reject")])
    reason = forms.CharField(max_length=MAX_REASON_LENGTH, required=False)
    back = forms.CharField(required=False)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("decision") == "reject" and not values.get("reason") and "reason" not in self.errors:
            self.add_error("reason", "Say why: the creator will read it.")
        return values


def parse_selected_ids(request: HttpRequest) -> list[int]:
    """Parse the ids of the selected sessions; invalid ones are ignored."""
    ids = (parse_id(each) for each in request.POST.getlist(SELECTED))
    return [each for each in dict.fromkeys(ids) if each is not None]


def parse_versions(request: HttpRequest) -> dict[int, int]:
    """Parse the content versions that were shown, by session id."""
    versions = {key: parse_id(value) for key, value in _parse_fields(request, "version_").items()}
    return {key: version for key, version in versions.items() if version is not None}


def parse_lease_times(request: HttpRequest) -> dict[int, datetime]:
    """Parse when the leases of the dialog were taken, by session id."""
    taken = {key: _parse_instant(value) for key, value in _parse_fields(request, "taken_").items()}
    return {key: instant for key, instant in taken.items() if instant is not None}


def _parse_fields(request: HttpRequest, prefix: str) -> dict[int, str]:
    """Return the fields with this prefix, by the session id that follows it, `MAX_SESSIONS` at most."""
    named = ((parse_id(name.removeprefix(prefix)), name) for name in request.POST if name.startswith(prefix))
    found = ((key, str(request.POST[name])) for key, name in named if key is not None)
    return dict(islice(found, MAX_SESSIONS))


def _parse_instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
        # Conversion to UTC overflows near the first and the last year.
        return instant.astimezone(UTC) if instant.tzinfo else None
    except (ValueError, OverflowError):
        return None


def parse_back_url(request: HttpRequest) -> str:
    """Return the URL of the page on which the dialog was opened, or of the list."""
    return get_back_url(request, reverse(LIST_URL_NAME))
