"""The API: authentication, error handlers, and the routers with their prefixes."""

from typing import Any

from django.apps import apps
from ninja import NinjaAPI
from ninja.openapi.docs import Swagger
from ninja.openapi.schema import OpenAPISchema

from core.accounts.authentication import MemberAuthentication
from core.http.error_responses import install_error_handlers
from core.http.json import JsonParser, JsonRenderer

DESCRIPTION = """
Members offer learning sessions, moderators approve them, others ask to join, the creator decides, everyone concerned
is notified and reminded, and participants share materials.

**Tokens.** Get a pair at `POST /api/auth/token/` and send `Authorization: Bearer <access>`; when an access token has
run out, `POST /api/auth/token/refresh/` gives a new one for the refresh token, which stays as it is.

**Times** are UTC with a `Z` (`2024-01-15T19:00:00Z`); durations are minutes.

**Errors** are `{"error": "<one sentence>"}`, with `fields` where values break a rule: 400 for what is invalid or what
the state forbids, 401 without a valid access token, 403 for what you see but may not change, 404 for what you may not
see, 405, 408, 413, 415, 429, 500 and 503 as usual. Each answer carries an `X-Request-ID`.

Every path ends in a slash, but for `calendar.ics`, which calendar programs know by its ending.
"""

# Prefix, the app that must be installed, router.
ROUTERS = [
    ("/auth/", "core", "core.accounts.api.router"),
    ("/sessions/", "modules.sessions", "modules.sessions.api.router"),
    ("/sessions/", "modules.sessions", "modules.sessions.calendar_api.router"),
    ("/notifications/", "modules.notifications", "modules.notifications.api.router"),
    ("/sessions/{int:session_id}/materials/", "modules.materials", "modules.materials.api.router"),
    ("/files/", "modules.materials", "modules.materials.api.files_router"),
]


class Api(NinjaAPI):
    """Caches its OpenAPI document, which is public and takes a hundred times as long to build as any other response."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._documents: dict[str, OpenAPISchema] = {}

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        prefix = self.get_root_path(path_params or {}) if path_prefix is None else path_prefix
        if prefix not in self._documents:
            self._documents[prefix] = super().get_openapi_schema(path_prefix=prefix)
        return self._documents[prefix]


def build_api() -> NinjaAPI:
    api = Api(
        title="Peer Learning",
        version="1.0.0",
        description=DESCRIPTION,
        auth=MemberAuthentication(),
        parser=JsonParser(),
        renderer=JsonRenderer(),
        docs=Swagger(settings={"persistAuthorization": True, "displayRequestDuration": True}),
        docs_url="/docs",
        urls_namespace="api",
        openapi_extra={
            "tags": [
                {"name": "Accounts", "description": "Registering, logging in and out, one's own profile."},
                {"name": "Sessions", "description": "Offering, finding and running learning sessions."},
                {"name": "Booking", "description": "Asking to join, deciding, leaving."},
                {"name": "Calendar", "description": "One's own sessions in a calendar program."},
                {"name": "Notifications", "description": "What a member is told."},
                {"name": "Materials", "description": "What a session shares."},
            ]
        },
    )
    install_error_handlers(api)
    for prefix, app, router in ROUTERS:
        if apps.is_installed(app):
            api.add_router(prefix, router)
    return api


api = build_api()
