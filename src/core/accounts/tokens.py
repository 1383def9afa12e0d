"""Access and refresh tokens: signed by the JWT library, valid only while their login and their member say so."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from ninja_jwt.exceptions import TokenError
from ninja_jwt.tokens import Token

from core.accounts.models import Login, User
from core.errors import NotAuthenticated
from core.time import clock

# What a row can be numbered by, and a member's version with it.
LARGEST_NUMBER = 2**63 - 1


class StrictToken(Token):
    """A token whose claims have the types that ours have. The library trusts whoever signed it, and crashes."""

    def verify(self) -> None:
        """Raises `TokenError`."""
        super().verify()
        if not all(_is_number(self.payload.get(claim)) for claim in ("user_id", "login", "version")):
            raise TokenError("Token has a claim of a wrong type")

    def check_exp(self, claim: str = "exp", current_time: datetime | None = None) -> None:
        """Leaves out the leeway that the library gives: it is for clocks that are ahead, not for a longer life."""
        if not all(_is_time(self.payload[each]) for each in ("exp", "iat", "nbf") if each in self.payload):
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
    """A signed token of this login, carrying the login's id and the member's token version."""
    token = kind()
    token["user_id"] = user.pk
    token["login"] = login.pk
    token["version"] = user.token_version
    if expires_at is not None:
        token["exp"] = min(token["exp"], int(expires_at.timestamp()))
    return str(token)


def authenticate_token(raw: str, kind: type[StrictToken], *, ended_too: bool = False) -> Login:
    """The login (with its user) that a token belongs to, read in one query.

    Raises `NotAuthenticated` for a token that is not ours, of another kind or run out, and where the login has ended
    (unless `ended_too`), the member was deactivated or the member's token version has moved on.
    """
    try:
        claims: dict[str, Any] = kind(raw).payload
    except TokenError:
        raise _build_refusal() from None
    named = {"pk": claims["login"], "user_id": claims["user_id"]}
    live = {"ended_at": None, "user__token_version": claims["version"], "user__is_active": True}
    login = Login.objects.select_related("user").filter(**named, **({} if ended_too else live)).first()
    if login is None:
        raise _build_refusal()
    return login


def _is_number(claim: object) -> bool:
    return type(claim) is int and 0 <= claim <= LARGEST_NUMBER


def _is_time(claim: object) -> bool:
    """Whether it is a number of seconds that leads to a day in the calendar."""
    try:
        return type(claim) in {int, float} and bool(datetime.fromtimestamp(claim, tz=UTC))  # type: ignore[arg-type]
    except (ValueError, OverflowError, OSError):
        return False


def get_session_end(login: Login) -> datetime:
    """When the refresh token of a login runs out, and with it the login itself."""
    return login.created_at + settings.REFRESH_TOKEN_LIFETIME


def open_logins() -> Q:
    """Of logins: what has neither ended nor run out."""
    return Q(ended_at=None, created_at__gt=clock.now() - settings.REFRESH_TOKEN_LIFETIME)


def _build_refusal() -> NotAuthenticated:
    return NotAuthenticated("Your login is not valid or has ended. Log in again.")


def touch_login(login: Login) -> None:
    """Note that the login was used just now."""
    Login.objects.filter(pk=login.pk).update(last_used_at=clock.now())
