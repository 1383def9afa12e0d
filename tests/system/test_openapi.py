"""The OpenAPI document is valid and complete, and its page loads nothing from other hosts."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from openapi_spec_validator import validate
from pytest_django import Settings

from core.http.error_responses import STATUS_MESSAGES


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    spec: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def errors(self) -> dict[str, Any]:
        return {status: answer for status, answer in self.spec["responses"].items() if status[0] in "45"}

    @property
    def is_public(self) -> bool:
        return not self.spec.get("security")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    answer = Client().get("/api/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = json.loads(answer.content)
    return found


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> list[Operation]:
    found = [
        Operation(method, path, spec) for path, methods in document["paths"].items() for method, spec in methods.items()
    ]
    assert len(found) > 20
    return found


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_every_path_but_that_of_the_calendar_feed_ends_in_a_slash(
    operations: list[Operation],
) -> None:
    assert [str(each) for each in operations if not each.path.endswith("/")] == ["GET /api/sessions/calendar.ics"]


def test_every_operation_is_described(operations: list[Operation]) -> None:
    assert [str(each) for each in operations if not each.spec.get("summary")] == []
    assert [str(each) for each in operations if not each.spec.get("description")] == []
    assert [str(each) for each in operations if len(each.spec.get("tags", [])) != 1] == []


def test_every_tag_is_described(document: dict[str, Any], operations: list[Operation]) -> None:
    explained = {tag["name"] for tag in document["tags"] if tag["description"]}

    assert {tag for each in operations for tag in each.spec["tags"]} == explained


def test_every_operation_id_is_a_readable_function_name(operations: list[Operation]) -> None:
    names = [each.spec["operationId"] for each in operations]

    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+){0,4}", name)] == []
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert not {name for name in names if "api" in name.split("_")}


def test_every_operation_but_the_public_ones_requires_a_token(
    document: dict[str, Any], operations: list[Operation]
) -> None:
    schemes = document["components"]["securitySchemes"]
    assert [(scheme["type"], scheme["scheme"]) for scheme in schemes.values()] == [("http", "bearer")]

    assert {each.spec["operationId"] for each in operations if each.is_public} == {
        "register",
        "log_in",
        "refresh_token",
        "log_out",
        "ask_password_reset",
        "reset_password",
        "confirm_address_change",
        "get_file",
        "get_calendar",
    }


def test_every_error_has_the_same_schema(operations: list[Operation]) -> None:
    shape = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}

    assert [
        f"{each} {status}"
        for each in operations
        for status, answer in each.errors.items()
        if answer.get("content") != shape
    ] == []


def test_an_error_response_matches_its_schema(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["ErrorBody"]

    assert set(schema["properties"]) == {"error", "fields"}
    assert schema["required"] == ["error"]


def test_every_operation_declares_the_errors_it_may_return(operations: list[Operation]) -> None:
    missing = []
    for each in operations:
        expected = {"500"}
        if not each.is_public:
            expected.add("401")
        if "requestBody" in each.spec:
            expected |= {"400", "413", "415"}
        if any(parameter["in"] == "path" for parameter in each.spec.get("parameters", [])):
            expected.add("404")
        if any(parameter["in"] == "query" for parameter in each.spec.get("parameters", [])) and not each.is_public:
            expected.add("400")
        missing += [f"{each} {status}" for status in sorted(expected - set(each.errors))]

    assert not missing, missing


def test_no_operation_declares_a_status_it_never_returns(operations: list[Operation]) -> None:
    known = {str(status) for status in STATUS_MESSAGES}

    assert {status for each in operations for status in each.errors} <= known - {"405"}


def test_creating_is_a_201_deleting_a_204_and_everything_else_a_200(operations: list[Operation]) -> None:
    created = {"register", "create_session", "join_session", "add_material", "make_calendar_link"}

    for each in operations:
        name = each.spec["operationId"]
        expected = "201" if name in created else "204" if each.method == "delete" else "200"
        # A file may come in parts, from elsewhere, or be there already.
        others = ["206", "302", "304"] if name == "get_file" else []
        found = sorted(set(each.spec["responses"]) - set(each.errors))
        assert found == [expected, *others], str(each)


def test_every_body_has_an_example(document: dict[str, Any], operations: list[Operation]) -> None:
    """Either whole, or value by value: then every field that must be there has one."""
    missing = []
    for each in operations:
        for kind, content in each.spec.get("requestBody", {}).get("content", {}).items():
            if "example" in content or "examples" in content:
                continue
            if not all(has_example(schema) for schema in objects_in(content["schema"], document)):
                missing.append(f"{each} {kind}")

    assert not missing, missing


def objects_in(schema: dict[str, Any], document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The objects that a body may be."""
    if "$ref" in schema:
        yield from objects_in(document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], document)
    elif "anyOf" in schema:
        for part in schema["anyOf"]:
            yield from objects_in(part, document)
    elif schema.get("type") != "null":
        yield schema


def has_example(schema: dict[str, Any]) -> bool:
    if "example" in schema or "examples" in schema:
        return True
    fields = schema["properties"]
    needed = schema.get("required") or list(fields)
    return all("examples" in fields[name] or "example" in fields[name] or "enum" in fields[name] for name in needed)


def test_every_query_parameter_has_bounds_values_or_a_description(
    operations: list[Operation],
) -> None:
    for each in operations:
        for parameter in each.spec.get("parameters", []):
            schema = parameter["schema"]
            said = {"description", "enum", "minimum", "maximum", "anyOf", "type"} & {*schema, *parameter}
            assert said, f"{each} {parameter['name']}"


def test_the_description_explains_how_to_log_in(document: dict[str, Any]) -> None:
    text = document["info"]["description"]

    for word in ("/api/auth/token/", "Authorization: Bearer", "UTC", "X-Request-ID", "slash"):
        assert word in text


def test_the_document_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making it takes long, and anybody may ask."""
    first = Client().get("/api/openapi.json")
    monkeypatch.setattr("ninja.main.get_schema", None)

    assert Client().get("/api/openapi.json").content == first.content


# --- The page that shows it -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page() -> str:
    answer = Client().get("/api/docs")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/html")
    return answer.content.decode()


def test_the_page_shows_the_document(page: str) -> None:
    assert '"/api/openapi.json"' in page
    assert "<title>Peer Learning" in page


def test_the_page_loads_nothing_from_other_hosts(page: str, settings: Settings) -> None:
    settings.SERVESTATIC_USE_FINDERS = True
    loaded = re.findall(r"""(?:src|href)\s*=\s*["']([^"']+)["']""", page)
    assert len(loaded) >= 3

    for address in loaded:
        assert address.startswith("/static/"), address
        answer = Client().get(address)
        assert answer.status_code == 200, address
        assert int(answer["Content-Length"]) > 100


def test_the_root_url_redirects_to_the_page() -> None:
    answer = Client().get("/")

    assert (answer.status_code, answer["Location"]) == (302, "/api/docs")
