"""Authentication of API requests by a bearer token."""

from django.http import HttpRequest
from ninja.security import HttpBearer

from core.accounts.models import User
from core.accounts.tokens import AccessToken, authenticate_token


class MemberRequest(HttpRequest):
    """A request that has passed `MemberAuthentication`."""

    auth: User


class MemberAuthentication(HttpBearer):
    """`Authorization: Bearer <access token>`; the member becomes `request.auth`."""

    openapi_description = "The access token that `POST /api/auth/token/` answered."

    def __call__(self, request: HttpRequest) -> User | None:
        """Replace the library's method, which logs the whole header of another scheme where DEBUG is on."""
        token = read_bearer_token(request)
        return None if token is None else self.authenticate(request, token)

    def authenticate(self, request: HttpRequest, token: str) -> User:
        """Return the member. Raises `NotAuthenticated`."""
        user = authenticate_token(token, AccessToken).user
        request.user = user
        return user


def read_bearer_token(request: HttpRequest) -> str | None:
    """Return the token of the `Authorization` header; `None` without one, or for another scheme."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == MemberAuthentication.openapi_scheme else None
