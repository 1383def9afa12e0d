"""Panels of a module, asked for and rendered as on the page of a session."""

from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import timezone

from core.accounts.models import User
from core.portal.panels import Panel, sort_panels
from core.time.zones import load_zone
from modules.sessions.events import PanelsOfSession

ORIGIN = "http://testserver"


def panel_for(viewer: User, key: str, *, can_moderate: bool = True, session_id: int = 7) -> Panel | None:
    """Return the panel of that key, or `None` if this viewer gets none."""
    asked = PanelsOfSession(session_id=session_id, viewer=viewer, can_moderate=can_moderate, origin=ORIGIN)
    panels = {panel.key: panel for panel in sort_panels(asked.ask_all())}
    return panels.get(key)


def html_of(panel: Panel, viewer: User) -> str:
    """Render one panel, in the viewer's time zone."""
    request = RequestFactory().get("/admin/somewhere/?of=7")
    request.user = viewer
    with timezone.override(load_zone(viewer.timezone)):
        return render_to_string("portal/tabs.html", {"panels": [panel], "label": "Knots"}, request)
