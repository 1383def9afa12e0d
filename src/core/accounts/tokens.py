"""Access and refresh tokens (JWT), which are valid as long as their login and their member are."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from ninja_jwt.exceptions import TokenError
from ninja_jwt.tokens import Token

from core.accounts.models import Login, User
from core.errors import NotAuthenticated
from core.time import clock

# The largest id in a database.
MAX_BIGINT = 2**63 - 1


class StrictToken(Token):
    """Checks the types of the claims; the library raises other errors than `TokenError` for wrong ones."""

    def verify(self) -> None:
        """Raises `TokenError`."""
        super().verify()
        if not all(_is_id(self.payload.get(claim)) for claim in ("user_id", "login", "version")):
            raise TokenError("Token has a claim of a wrong type")

    def check_exp(self, claim: str = "exp", current_time: datetime | None = None) -> None:
        """Check the expiry without the library's leeway, which is meant for `iat` and `nbf`. Raises `TokenError`."""
        if not all(_is_timestamp(self.payload[each]) for each in ("exp", "iat", "nbf") if each in self.payload):
            raise TokenError("Token has a time of a wrong type")
        if claim not in self.payload or self.payload[claim] <= (current_time or self.current_time).timestamp():
            raise TokenError("Token has expired")


class AccessToken(StrictToken):
    token_type = "access"
    lifetime: timedelta = settings.ACCESS_TOKEN_LIFETIME


class RefreshToken(StrictToken):
    token_type = "refresh"
    lifetime: timedelta = settings.REFRESH_TOKEN_LIFETIME


def make_token(kind: type[StrictToken], login: Login, user: User, *, expires_at: datetime | None = None) -> str:
    """Build a signed token with the id of the login and the token version. It expires at `expires_at` at the latest."""
    token = kind()
    token["user_id"] = user.pk
    token["login"] = login.pk
    token["version"] = user.token_version
    if expires_at is not None:
        token["exp"] = min(token["exp"], int(expires_at.timestamp()))
    return str(token)


def authenticate_token(raw: str, kind: type[StrictToken], *, include_ended: bool = False) -> Login:
    """Return the login of a token, with its user, by one query.

    Raises `NotAuthenticated` for a token that is expired, of another kind or not signed by us. Unless `include_ended`,
    also if the login has ended, the member was deactivated or their token version was raised.
    """
    try:
        claims: dict[str, Any] = kind(raw).payload
    except TokenError:
        raise _build_error() from None
    ids = {"pk": claims["login"], "user_id": claims["user_id"]}
    is_valid = {"ended_at": None, "user__token_version": claims["version"], "user__is_active": True}
    login = Login.objects.select_related("user").filter(**ids, **({} if include_ended else is_valid)).first()
    if login is None:
        raise _build_error()
    return login


def _is_id(claim: object) -> bool:
    return type(claim) is int and 0 <= claim <= MAX_BIGINT


def _is_timestamp(claim: object) -> bool:
    """Whether it is a number of seconds since 1970 that `datetime` can represent."""
    try:
        return type(claim) in {int, float} and bool(datetime.fromtimestamp(claim, tz=UTC))  # type: ignore[arg-type]
    except (ValueError, OverflowError, OSError):
        return False


def get_login_expiry(login: Login) -> datetime:
    """Return when the refresh token expires, and the login with it."""
    return login.created_at + settings.REFRESH_TOKEN_LIFETIME


def filter_open_logins() -> Q:
    """Return the filter for logins that have neither ended nor expired."""
    return Q(ended_at=None, created_at__gt=clock.now() - settings.REFRESH_TOKEN_LIFETIME)


def _build_error() -> NotAuthenticated:
    return NotAuthenticated("Your login is not valid or has ended. Log in again.")


def touch_login(login: Login) -> None:
    """Record that the login was used now."""
    Login.objects.filter(pk=login.pk).update(last_used_at=clock.now())
