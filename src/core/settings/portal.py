"""The portal: django-unfold."""

from collections.abc import Callable

from django.templatetags.static import static


def _build_asset_url(name: str) -> Callable[[object], str]:
    """Return a function that builds the URL of a static file, which needs the apps to be loaded."""
    return lambda _request: static(f"portal/{name}")


UNFOLD = {
    "SITE_TITLE": "Peer Learning",
    "SITE_HEADER": "Peer Learning",
    "SITE_SUBHEADER": "Moderation",
    "SITE_SYMBOL": "school",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _build_asset_url("icon.svg")}],
    "ENVIRONMENT": "core.admin.background.build_worker_warning",
    "SHOW_VIEW_ON_SITE": False,
    # The history of Django's admin; the record of facts replaces it.
    "SHOW_HISTORY": False,
    "SIDEBAR": {"navigation": "core.portal.navigation.list_navigation"},
    "DASHBOARD_CALLBACK": "core.portal.dashboard.build_dashboard_context",
    "STYLES": [_build_asset_url(name) for name in ("accessible.css", "portal.css", "page.css", "moderation.css")],
    "SCRIPTS": [_build_asset_url(name) for name in ("controls.js", "dialogs.js", "shortcuts.js")],
}
