"""A client that sees crashes as answers, and an operation that crashes."""

import pytest
from django.test import Client

from core.accounts import api as accounts_api
from core.accounts.models import User


@pytest.fixture
def client() -> Client:
    """Nobody in particular, who gets answers where the product crashes."""
    return Client(raise_request_exception=False)


@pytest.fixture
def crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for a profile meets a bug."""

    def fail(user: User) -> None:
        raise RuntimeError("the password of the database is swordfish")

    monkeypatch.setattr(accounts_api, "_present_profile", fail)
