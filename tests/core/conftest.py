"""A clock that stands still, and a worker that sends mail when a test says so."""

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
from core.mail.sending import send_due_mail

NOW = datetime(2024, 1, 13, 11, 0, tzinfo=UTC)

ReadMail = Callable[[], list[EmailMessage]]


@pytest.fixture
def clock(time_machine: Any) -> Any:
    """Stands at `NOW` until it is shifted or moved."""
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture
def stranger(db: None) -> Api:
    """Somebody who is not logged in."""
    return Api()


@pytest.fixture
def read_mail(mailoutbox: list[EmailMessage]) -> ReadMail:
    """Lets the worker send what is due; returns what went out since the last look."""

    def read() -> list[EmailMessage]:
        send_due_mail()
        sent = list(mailoutbox)
        mailoutbox.clear()
        return sent

    return read


def link_in(mail: EmailMessage) -> dict[str, str]:
    """The query of the one link in a mail."""
    (link,) = re.findall(r"http\S+\?\S+", str(mail.body))
    return {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}


def load_settings() -> dict[str, Any]:
    """The variables of the settings package, loaded once more beside the one that is in use."""
    in_use = {name: sys.modules.pop(name) for name in list(sys.modules) if name.startswith("core.settings")}
    try:
        return vars(importlib.import_module("core.settings"))
    finally:
        for name in [name for name in sys.modules if name.startswith("core.settings")]:
            del sys.modules[name]
        sys.modules.update(in_use)
        core.settings = in_use["core.settings"]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Reads the settings anew, from these variables alone."""

    def read(**variables: str) -> dict[str, Any]:
        for name in set(os.environ) - {"PATH", "HOME", "LANG"}:
            monkeypatch.delenv(name)
        for name, value in {"DATA_DIR": str(tmp_path), **variables}.items():
            monkeypatch.setenv(name, value)
        return load_settings()

    return read
