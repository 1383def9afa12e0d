"""Responses, which no schema validates at run time, have the shape that the API document declares."""

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.conftest import Api
from tests.modules.sessions.conftest import NOW, SESSIONS, STATES, body_of, path

from core.api import api as the_api
from modules.sessions.models import Session

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture(scope="module")
def components() -> dict[str, Any]:
    return dict(the_api.get_openapi_schema()["components"]["schemas"])


@pytest.fixture
def hold(components: dict[str, Any]) -> Any:
    """`hold(response, "SessionDetail")`: every key, type and value as declared, in the declared order."""

    def check(response: Any, name: str) -> None:
        assert response.status_code in {200, 201}, response.content
        root = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": components}}
        Draft202012Validator.check_schema(root)
        assert [error.message for error in Draft202012Validator(root).iter_errors(response.json())] == []
        in_order(response.json(), root, components)

    return check


def in_order(value: Any, schema: dict[str, Any], components: dict[str, Any]) -> None:
    """Objects have exactly the declared keys, in the declared order, and instants the documented form."""
    while "$ref" in schema or "allOf" in schema:
        schema = schema["allOf"][0] if "allOf" in schema else components[schema["$ref"].rsplit("/", 1)[1]]
    if schema.get("format") == "date-time":
        assert INSTANT.fullmatch(value), value
    if isinstance(value, dict):
        assert list(value) == list(schema["properties"])
        assert set(schema["required"]) == set(value) - {
            name for name, each in schema["properties"].items() if "default" in each
        }
        for name, each in value.items():
            in_order(each, schema["properties"][name], components)
    elif isinstance(value, list):
        for each in value:
            in_order(each, schema["items"], components)


@pytest.fixture
def sessions(*, jane: Any, bob: Any, mallory: Any, make_session: Any) -> dict[str, Session]:
    """A session of each status, with everything that can belong to it."""
    made = {}
    for state in STATES:
        in_it: dict[str, Any] = {}
        if state in {"scheduled", "ongoing", "completed", "cancelled"}:
            in_it["participants"] = [jane]
        if state != "pending_approval":
            in_it["requests"] = {bob: "pending" if state in {"approved", "scheduled"} else "rejected"}
        made[state] = make_session(state, **in_it)
    made["scheduled"].booking_requests.filter(user=jane).update(role="tutor")
    return made


def test_the_list_has_the_documented_shape(hold: Any, sessions: Any, john: Any, jane: Any, mallory: Any) -> None:
    for member in (john, jane, mallory):
        hold(Api(member).get(SESSIONS, {"page_size": 3}), "SessionPage")
        hold(Api(member).get(SESSIONS, {"page_size": 3, "page": 2}), "SessionPage")


@pytest.mark.parametrize("state", STATES)
def test_a_detail_has_the_documented_shape(
    *, hold: Any, sessions: Any, john: Any, alice: Any, jane: Any, bob: Any, state: str
) -> None:
    viewers = (john, alice) if state == "pending_approval" else (john, alice, jane, bob)
    for member in viewers:
        hold(Api(member).get(path(sessions[state])), "SessionDetail")


def test_my_sessions_has_the_documented_shape(hold: Any, sessions: Any, john: Any, jane: Any, mallory: Any) -> None:
    for member in (john, jane, mallory):
        hold(Api(member).get(f"{SESSIONS}my_sessions/"), "MySessions")


def test_a_new_session_has_the_documented_shape(hold: Any, john: Any) -> None:
    hold(Api(john).post(SESSIONS, body_of()), "SessionCreated")


def test_a_request_has_the_documented_shape(hold: Any, sessions: Any, john: Any, bob: Any, mallory: Any) -> None:
    session = sessions["scheduled"]

    hold(Api(mallory).post(path(session, "join/")), "BookingRequestOut")
    hold(Api(john).post(path(session, "approve_request/"), {"user_id": bob.pk}), "BookingRequestOut")
    hold(Api(john).post(path(session, "reject_request/"), {"user_id": mallory.pk}), "BookingRequestOut")


def test_a_participant_has_the_documented_shape(hold: Any, sessions: Any, john: Any, jane: Any) -> None:
    changed = Api(john).post(path(sessions["scheduled"], f"participants/{jane.pk}/role/"), {"role": "student"})

    hold(changed, "ParticipantOut")


def test_changing_operations_return_the_detail(
    *, hold: Any, sessions: Any, john: Any, jane: Any, make_session: Any
) -> None:
    soon = make_session("scheduled", participants=[jane], date=NOW.replace(minute=10, microsecond=0))

    hold(Api(john).put(path(sessions["scheduled"]), {"duration": 60}), "SessionDetail")
    hold(Api(jane).post(path(sessions["scheduled"], "leave/")), "SessionDetail")
    hold(Api(john).post(path(soon, "start/")), "SessionDetail")
    hold(Api(john).post(path(soon, "end/")), "SessionDetail")
    hold(Api(john).post(path(sessions["approved"], "cancel/")), "SessionDetail")


def test_errors_have_the_documented_shape(hold: Any, components: dict[str, Any], john: Any) -> None:
    declared = Draft202012Validator(components["ErrorBody"])
    for response in [
        Api(john).post(SESSIONS, {}),
        Api(john).get(path(4711)),
        Api(None).get(SESSIONS),
        Api(john).get(f"{SESSIONS}?page=0"),
    ]:
        assert list(declared.iter_errors(response.json())) == []
