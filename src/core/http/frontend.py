"""Links into the single-page app, whose paths are settings."""

from urllib.parse import quote

from django.conf import settings
from django.utils.http import urlencode


def home_link() -> str:
    """Where the app begins."""
    return str(settings.FRONTEND_URL)


def session_link(session_id: int) -> str:
    """Where the app shows a session."""
    return _link(settings.FRONTEND_SESSION_PATH, id=str(session_id))


def password_reset_link(*, uid: str, token: str) -> str:
    """Where the app lets somebody choose a new password."""
    return _link(settings.FRONTEND_PASSWORD_RESET_PATH, uid=uid, token=token)


def address_confirmation_link(*, token: str) -> str:
    """Where the app lets somebody confirm a new address."""
    return _link(settings.FRONTEND_EMAIL_CONFIRMATION_PATH, token=token)


def _link(path: str, **values: str) -> str:
    """The absolute link to a path of the app: values stand in place of their placeholders, the others in the query."""
    query = {name: value for name, value in values.items() if f"{{{name}}}" not in path}
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return f"{settings.FRONTEND_URL}{_with_query(path, query)}"


def _with_query(path: str, query: dict[str, str]) -> str:
    if not query:
        return path
    before, sign, fragment = path.partition("#")
    # Routers of the fragment look for the query of their route behind it.
    if fragment.startswith(("/", "!")):
        return f"{before}#{_appended(fragment, query)}"
    return f"{_appended(before, query)}{sign}{fragment}"


def _appended(address: str, query: dict[str, str]) -> str:
    joint = "" if address.endswith(("?", "&")) else "&" if "?" in address else "?"
    return f"{address}{joint}{urlencode(query)}"
