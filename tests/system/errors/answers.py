"""Paths of the API, and reading of errors."""

import re
from typing import Any

ME = "/api/auth/me/"
TOKEN = "/api/auth/token/"
REGISTER = "/api/auth/register/"


def read_error(answer: Any, status: int) -> str:
    """Check the format of an error; return its message."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"].startswith("application/json")
    assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-ID"])
    body = answer.json()
    assert list(body) == ["error"]
    sentence = body["error"]
    assert isinstance(sentence, str)
    assert sentence
    return sentence
