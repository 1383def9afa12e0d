"""A client that gets responses for exceptions, and an operation that raises one."""

import pytest
from django.test import Client

from core.accounts import api as accounts_api
from core.accounts.models import User


@pytest.fixture
def client() -> Client:
    """A client without a login, which does not raise exceptions of views."""
    return Client(raise_request_exception=False)


@pytest.fixture
def crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the profile raise an exception."""

    def fail(user: User) -> None:
        raise RuntimeError("the password of the database is swordfish")

    monkeypatch.setattr(accounts_api, "_present_profile", fail)
