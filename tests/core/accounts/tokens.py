"""URLs and responses of the token operations, and helpers for forged tokens."""

from typing import Any

import jwt
from django.conf import settings

TOKEN = "/api/auth/token/"
REFRESH = "/api/auth/token/refresh/"
LOGOUT = "/api/auth/logout/"
ME = "/api/auth/me/"

ENDED = {"error": "Your login is not valid or has ended. Log in again."}
UNKNOWN = {"error": "No active account fits this user name and password."}


def decode_claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def sign_token(claims: dict[str, Any], *, key: str = "", algorithm: str = "HS256") -> str:
    return jwt.encode(claims, key or settings.SECRET_KEY, algorithm=algorithm)


def assert_refused(answer: Any) -> None:
    assert answer.status_code == 401
    assert answer.json() == ENDED
    assert answer["WWW-Authenticate"] == "Bearer"
