"""Fixtures for tests of lists: URLs, the clock, and captured queries."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.accounts.models import User

NOW = datetime(2024, 1, 10, 10, tzinfo=UTC)


def get_list_url(label: str, **query: Any) -> str:
    """The URL of a model's list."""
    path = reverse(f"admin:{label.replace('.', '_')}_changelist")
    return path + ("?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else "")


def get_export_url(label: str, file_kind: str, /, **query: Any) -> str:
    path = reverse(f"admin:{label.replace('.', '_')}_export", args=[file_kind])
    return path + ("?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else "")


@pytest.fixture(autouse=True)
def clock(time_machine: Any) -> Any:
    """Stands at `NOW`."""
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture
def root(root: User) -> User:
    """A superuser in Berlin."""
    root.timezone = "Europe/Berlin"
    root.save()
    return root


@pytest.fixture
def capture_queries() -> Callable[[Callable[[], Any]], tuple[list[str], Any]]:
    """Return the queries of a call, and its result."""

    def run(visit: Callable[[], Any]) -> tuple[list[str], Any]:
        with CaptureQueriesContext(connection) as captured:
            answer = visit()
        return [query["sql"] for query in captured.captured_queries], answer

    return run
