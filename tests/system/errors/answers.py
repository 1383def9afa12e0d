"""What the tests of refusals share: paths of the API, and how an error is read."""

import re
from typing import Any

ME = "/api/auth/me/"
TOKEN = "/api/auth/token/"
REGISTER = "/api/auth/register/"


def read_error(answer: Any, status: int) -> str:
    """Return the sentence of an error, whose body has nothing else."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"].startswith("application/json")
    assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-ID"])
    body = answer.json()
    assert list(body) == ["error"]
    sentence = body["error"]
    assert isinstance(sentence, str)
    assert sentence
    return sentence
