"""Reading the list of sessions."""

from typing import Any

from tests.conftest import Api
from tests.modules.sessions.conftest import SESSIONS, fields_of


def titles(member: Any, query: str = "") -> list[str]:
    response = Api(member).get(f"{SESSIONS}?{query}" if query else SESSIONS)
    assert response.status_code == 200, response.content
    return [row["title"] for row in response.json()["results"]]


def refused(member: Any, query: str) -> list[str]:
    return list(fields_of(Api(member).get(f"{SESSIONS}?{query}")))
