"""Fixtures for queued mail and a mail server."""

from typing import Any

import pytest
from tests.mail_server import MailServer

from core.accounts.models import User
from core.mail import sending
from core.mail.models import Mail
from core.mail.services import enqueue_mail


@pytest.fixture(autouse=True)
def fresh_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reset the state of the sender between tests."""
    monkeypatch.setattr(sending, "_backlog_since", None)


@pytest.fixture
def server(mail_server: MailServer) -> MailServer:
    return mail_server


@pytest.fixture
def mail(john: User, clock: Any) -> Mail:
    """A mail that is queued for John."""
    enqueue_mail(kind="welcome", address=john.email, user=john)
    return Mail.objects.get()
