"""Helpers for tests of the registration."""

from typing import Any

from tests.conftest import PASSWORD

from core.facts.models import FactRecord
from core.mail.models import Mail

REGISTER = "/api/auth/register/"


FULL_WIDTH_JANE = "\uff4a\uff41\uff4e\uff45"


def build_form(**changes: Any) -> dict[str, Any]:
    return {
        "username": "jane_smith",
        "email": "jane@example.com",
        "password": PASSWORD,
        "first_name": "Jane",
        "last_name": "Smith",
        **changes,
    }


def assert_rejected(answer: Any) -> dict[str, list[str]]:
    """Assert a validation error without side effects, and return its fields."""
    assert answer.status_code == 400, answer.content
    body = answer.json()
    assert set(body) == {"error", "fields"}
    name, (message, *_) = next(iter(body["fields"].items()))
    assert body["error"] == f"{name}: {message}"
    assert not FactRecord.objects.exists()
    assert not Mail.objects.exists()
    fields: dict[str, list[str]] = body["fields"]
    return fields
