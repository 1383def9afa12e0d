"""Repeated query parameters, in every operation that has parameters."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.conftest import Api

from core.accounts.models import User
from core.api import api
from core.time import clock

DOCUMENT: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema()))
PARAMETERS = [
    pytest.param(path, parameter["name"], parameter["schema"], id=f"{spec['operationId']} {parameter['name']}")
    for path, methods in DOCUMENT["paths"].items()
    for spec in methods.values()
    for parameter in spec.get("parameters", [])
    if parameter["in"] == "query"
]
SINGLE = [each for each in PARAMETERS if each.values[2].get("type") != "array"]
LISTS = [each for each in PARAMETERS if each.values[2].get("type") == "array"]


@pytest.fixture
def fill_path(john: User) -> Any:
    """Fills in the ids of a path, for which a session is created."""

    def fill(path: str) -> str:
        if "{session_id}" not in path:
            return path
        start = (clock.now() + timedelta(days=3)).isoformat()
        body = {"title": "T", "description": "D", "subject": "S", "level": "beginner", "date": start}
        offered = Api(john).post("/api/sessions/", {**body, "duration": 60, "max_participants": 5})
        return path.format(session_id=offered.json()["id"])

    return fill


def build_value(schema: dict[str, Any]) -> str:
    """Build a valid value."""
    schema = next((part for part in schema.get("anyOf", []) if part.get("type") != "null"), schema)
    for key in ("example", "default", "minimum"):
        if schema.get(key) not in (None, ""):
            return str(schema[key]).lower()
    return str(schema.get("enum", ["2024-01-15"])[0])


@pytest.mark.parametrize(("path", "name", "schema"), SINGLE)
def test_a_repeated_parameter_is_refused_by_name(
    *, john: User, fill_path: Any, path: str, name: str, schema: dict[str, Any]
) -> None:
    value = build_value(schema)

    for values in ([value, value], [value, "other"], ["other", value], [value, ""], ["", ""], [value] * 3):
        answer = Api(john).get(f"{fill_path(path)}?{urlencode({name: values}, doseq=True)}")

        assert answer.status_code == 400, values
        assert answer.json() == {
            "error": f"{name}: May be given only once.",
            "fields": {name: ["May be given only once."]},
        }


@pytest.mark.parametrize(("path", "name", "schema"), LISTS)
def test_a_list_parameter_may_be_repeated(
    *, john: User, fill_path: Any, path: str, name: str, schema: dict[str, Any]
) -> None:
    values = schema["items"]["enum"]

    answer = Api(john).get(f"{fill_path(path)}?{urlencode({name: [*values, ''] * 2}, doseq=True)}")

    assert answer.status_code == 200, answer.content


def test_unknown_parameters_are_ignored_even_if_repeated(john: User) -> None:
    for path in ("/api/sessions/", "/api/notifications/", "/api/sessions/my_sessions/"):
        assert Api(john).get(f"{path}?colour=green&colour=blue&_=1&_=2&colour=").status_code == 200


def test_status_and_level_are_the_list_parameters() -> None:
    assert {each.values[1] for each in LISTS} == {"status", "level"}
