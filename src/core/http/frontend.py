"""URLs of the single-page app, whose paths are settings."""

from urllib.parse import quote

from django.conf import settings
from django.utils.http import urlencode


def build_home_url() -> str:
    """The home page of the app."""
    return str(settings.FRONTEND_URL)


def build_session_url(session_id: int) -> str:
    """The page of a session."""
    return _build_url(settings.FRONTEND_SESSION_PATH, id=str(session_id))


def build_password_reset_url(*, uid: str, token: str) -> str:
    """The page that sets a new password."""
    return _build_url(settings.FRONTEND_PASSWORD_RESET_PATH, uid=uid, token=token)


def build_address_confirmation_url(*, token: str) -> str:
    """The page that confirms a new e-mail address."""
    return _build_url(settings.FRONTEND_EMAIL_CONFIRMATION_PATH, token=token)


def _build_url(path: str, **values: str) -> str:
    """Build an absolute URL: values replace their placeholders in the path, those without one go into the query."""
    query = {name: value for name, value in values.items() if f"{{{name}}}" not in path}
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return f"{settings.FRONTEND_URL}{_add_query(path, query)}"


def _add_query(path: str, query: dict[str, str]) -> str:
    if not query:
        return path
    before, hash_sign, fragment = path.partition("#")
    # Hash routers expect the query of a route inside the fragment.
    if fragment.startswith(("/", "!")):
        return f"{before}#{_append_query(fragment, query)}"
    return f"{_append_query(before, query)}{hash_sign}{fragment}"


def _append_query(url: str, query: dict[str, str]) -> str:
    separator = "" if url.endswith(("?", "&")) else "&" if "?" in url else "?"
    return f"{url}{separator}{urlencode(query)}"
