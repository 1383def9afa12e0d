"""Fixtures for members with passwords, and for logins over HTTP."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from tests.conftest import PASSWORD, Api

from core.accounts.models import User


@dataclass
class Device:
    """A client that has logged in, with its tokens."""

    api: Api
    refresh: str

    @property
    def access(self) -> str:
        return self.api.headers["Authorization"].removeprefix("Bearer ")

    def use_access_token(self, token: str) -> None:
        self.api.headers["Authorization"] = f"Bearer {token}"

    def is_authenticated(self) -> bool:
        """Whether the access token is still accepted."""
        status = self.api.get("/api/auth/me/").status_code
        assert status in {200, 401}
        return status == 200

    def can_refresh(self) -> bool:
        status = Api().post("/api/auth/token/refresh/", {"refresh": self.refresh}).status_code
        assert status in {200, 401}
        return status == 200


LogIn = Callable[..., Device]


@pytest.fixture
def log_in(db: None) -> LogIn:
    """Logs a member in over HTTP, by user name."""

    def log_in(username: str, password: str = PASSWORD) -> Device:
        answer = Api().post("/api/auth/token/", {"username": username, "password": password})
        assert answer.status_code == 200, answer.json()
        device = Device(Api(), answer.json()["refresh"])
        device.use_access_token(answer.json()["access"])
        return device

    return log_in


@pytest.fixture
def member(john: User) -> User:
    """John, who has a password."""
    john.set_password(PASSWORD)
    john.save()
    return john
