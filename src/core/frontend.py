"""Links into the single-page app."""

from django.conf import settings
from django.utils.http import urlencode


def frontend_link(path: str, **query: str) -> str:
    """The absolute link to a path of the app, which begins with a slash."""
    return f"{settings.FRONTEND_URL}{path}" + (f"?{urlencode(query)}" if query else "")


def session_link(session_id: int) -> str:
    """Where the app shows a session."""
    return frontend_link(f"/sessions/{session_id}")
