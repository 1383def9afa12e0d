"""Who is asking: the bearer token of a request."""

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
        """Leaves out what the library does with another scheme where DEBUG is on: write all of it into the log."""
        token = read_bearer_token(request)
        return None if token is None else self.authenticate(request, token)

    def authenticate(self, request: HttpRequest, token: str) -> User:
        user = authenticate_token(token, AccessToken).user
        request.user = user
        return user


def read_bearer_token(request: HttpRequest) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == MemberAuthentication.openapi_scheme else None
