"""How the portal looks."""

from collections.abc import Callable

from django.templatetags.static import static


def _asset(name: str) -> Callable[[object], str]:
    """Where a file of the portal is found: known only once the apps are loaded."""
    return lambda _request: static(f"portal/{name}")


UNFOLD = {
    "SITE_TITLE": "Peer Learning",
    "SITE_HEADER": "Peer Learning",
    "SITE_SUBHEADER": "Moderation",
    "SITE_SYMBOL": "school",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _asset("icon.svg")}],
    "ENVIRONMENT": "core.admin.background.build_worker_warning",
    "SHOW_VIEW_ON_SITE": False,
    # Django's own log of the admin: what happened to a session is in the record of facts.
    "SHOW_HISTORY": False,
    "SIDEBAR": {"navigation": "core.portal.navigation.list_navigation"},
    "DASHBOARD_CALLBACK": "core.portal.dashboard.build_dashboard_context",
    "STYLES": [_asset(name) for name in ("accessible.css", "portal.css", "page.css", "queue.css")],
    "SCRIPTS": [_asset(name) for name in ("controls.js", "dialogs.js", "shortcuts.js")],
}
