"""Fixtures for core: a frozen clock, mail, and settings from given variables."""

import importlib
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.mail import EmailMessage
from tests.conftest import Api

import core
from core.accounts.models import User
from core.mail.sending import send_due_mail

NOW = datetime(2024, 1, 13, 11, 0, tzinfo=UTC)

ReadMail = Callable[[], list[EmailMessage]]


@pytest.fixture
def clock(time_machine: Any) -> Any:
    """The clock, frozen at `NOW` until it is shifted or moved."""
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture
def stranger(db: None) -> Api:
    """An API client without a login."""
    return Api()


@pytest.fixture
def read_mail(mailoutbox: list[EmailMessage]) -> ReadMail:
    """Sends due mail; returns the mails since the last call."""

    def read() -> list[EmailMessage]:
        send_due_mail()
        sent = list(mailoutbox)
        mailoutbox.clear()
        return sent

    return read


def link_in(mail: EmailMessage) -> dict[str, str]:
    """The query parameters of the only link in a mail."""
    (link,) = re.findall(r"http\S+\?\S+", str(mail.body))
    return {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}


def is_active(member: User) -> bool:
    """Read from the database whether a member is active."""
    return User.objects.get(pk=member.pk).is_active


def load_settings() -> dict[str, Any]:
    """Import the settings package again, without replacing the one in use; return its variables."""
    current = {name: sys.modules.pop(name) for name in list(sys.modules) if name.startswith("core.settings")}
    try:
        return vars(importlib.import_module("core.settings"))
    finally:
        for name in [name for name in sys.modules if name.startswith("core.settings")]:
            del sys.modules[name]
        sys.modules.update(current)
        core.settings = current["core.settings"]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Loads the settings with only these environment variables."""

    def read(**variables: str) -> dict[str, Any]:
        for name in set(os.environ) - {"PATH", "HOME", "LANG"}:
            monkeypatch.delenv(name)
        for name, value in {"DATA_DIR": str(tmp_path), **variables}.items():
            monkeypatch.setenv(name, value)
        return load_settings()

    return read
