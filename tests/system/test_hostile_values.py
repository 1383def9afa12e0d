"""No value of a field or parameter causes a crash, or a status that the OpenAPI document does not declare."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from tests.conftest import Api

from core.accounts.models import User
from core.api import api
from core.time import clock

NASTY: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    1e308,
    2**63,
    -(2**63) - 1,
    "",
    "\x00",
    "\ud800",
    "x" * 20_000,
    "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 150,
    "\N{FULLWIDTH DIGIT ONE}",
    "a\r\nb: c",
    "2024-02-30",
    "2024-01-15T14:00:00+99:99",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "NaN",
    "../../etc/passwd",
    "http://[::1",
    "javascript:alert(1)",
    "https://user:password@example.com/",
    [],
    {},
    {"a": {"b": []}},
]

DOCUMENT: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema()))
OPERATIONS = [
    (spec["operationId"], method, path, spec)
    for path, methods in DOCUMENT["paths"].items()
    for method, spec in methods.items()
]
WITH_BODY = [each for each in OPERATIONS if "requestBody" in each[3]]
WITH_PARAMETERS = [each for each in OPERATIONS if each[3].get("parameters")]


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return resolve(DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    if "anyOf" in schema:
        return resolve(next(part for part in schema["anyOf"] if part.get("type") != "null"))
    return schema


def build_body(schema: dict[str, Any]) -> dict[str, Any]:
    """Build a body from the examples of the document."""
    schema = resolve(schema)
    if "example" in schema:
        return dict(schema["example"])
    values = {}
    for name, field in schema["properties"].items():
        found = field.get("examples") or resolve(field).get("enum")
        if found:
            values[name] = found[0]
    return values


@pytest.fixture
def session_id(john: User) -> int:
    """The id of a future session of John."""
    start = (clock.now() + timedelta(days=3)).isoformat()
    answer = Api(john).post(
        "/api/sessions/",
        {
            "title": "Python",
            "description": "All of it",
            "subject": "Programming",
            "level": "beginner",
            "date": start,
            "duration": 60,
            "max_participants": 5,
        },
    )
    assert answer.status_code == 201
    return int(answer.json()["id"])


def check(answer: Any, spec: dict[str, Any], sent: object) -> None:
    assert answer.status_code < 500, sent
    assert str(answer.status_code) in spec["responses"], (answer.status_code, sent)
    if answer.status_code >= 400:
        body = answer.json()
        assert set(body) <= {"error", "fields"}, body
        assert isinstance(body["error"], str), body
        assert all(isinstance(each, str) for messages in body.get("fields", {}).values() for each in messages), body
        assert "\x00" not in body["error"]


@pytest.mark.parametrize(
    ("method", "path", "spec"), [each[1:] for each in WITH_BODY], ids=[each[0] for each in WITH_BODY]
)
def test_no_value_of_a_field_causes_a_crash(
    john: User, session_id: int, method: str, path: str, spec: dict[str, Any]
) -> None:
    content = spec["requestBody"]["content"]["application/json"]
    good = content.get("example") or build_body(content["schema"])
    fields = {*good, *resolve(content["schema"])["properties"]}
    where = fill_path(path, session_id)
    member = Api(john)

    for name in sorted(fields):
        for value in NASTY:
            body = {**good, name: value}
            answer = getattr(member, method)(where, body)
            check(answer, spec, {name: value})


def fill_path(path: str, session_id: int) -> str:
    """Fill in ids: that of the session exists, all others do not."""
    for name, value in (
        ("session_id", session_id),
        ("token", "x"),
        ("user_id", 1),
        ("material_id", 1),
        ("notification_id", 1),
    ):
        path = path.replace(f"{{{name}}}", str(value))
    assert "{" not in path
    return path


@pytest.mark.parametrize(
    ("method", "path", "spec"), [each[1:] for each in WITH_PARAMETERS], ids=[each[0] for each in WITH_PARAMETERS]
)
def test_no_value_of_a_parameter_causes_a_crash(
    john: User, session_id: int, method: str, path: str, spec: dict[str, Any]
) -> None:
    member = Api(john)

    for parameter in spec["parameters"]:
        name = parameter["name"]
        for value in NASTY:
            text = quote(str(value).encode("utf-8", "surrogatepass"), safe="")
            if parameter["in"] == "query":
                where = f"{fill_path(path, session_id)}?{name}={text}"
            else:
                where = fill_path(path.replace(f"{{{name}}}", text or "%20"), session_id)
            answer = member.client.generic(method.upper(), where, headers=member.headers)
            check(answer, {"responses": {**spec["responses"], "404": {}, "405": {}}}, where[:200])
