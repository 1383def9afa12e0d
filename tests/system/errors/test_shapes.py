"""The format of errors of the API: unknown paths, wrong methods, and malformed bodies."""

from typing import Any

import pytest
from django.test import Client
from tests.conftest import PASSWORD, Api
from tests.system.errors.answers import ME, REGISTER, TOKEN, read_error

from core.accounts.models import User

# --- Paths --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/nothing/",
        "/api/nothing",
        "/api/auth/",
        "/api/auth/token/refresh/more/",
        "/api/sessions/abc/",
        "/api/sessions/-1/",
        "/api/sessions/1.5/",
        "/api/sessions//",
        "/api//sessions/",
        "/api/%00/",
        "/api/%ed%a0%80/",
        "/api/%ff/",
        "/api/../admin/",
        "/api/" + "x" * 5000,
        "/api/sessions/" + "9" * 5000 + "/",
        "/api/<script>alert(1)</script>/",
        "/api/a%0d%0aSet-Cookie:%20a=b/",
        "/api/{path}/",
    ],
)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_an_unknown_path_is_a_404_for_every_method(client: Client, method: str, path: str) -> None:
    answer = getattr(client, method)(path)

    assert read_error(answer, 404) in {"There is nothing at this path.", "Not found."}
    assert not answer.cookies


@pytest.mark.parametrize(
    "path", ["/api/auth/token", "/api/auth/me", "/api/auth/password/reset/confirm", "/api/sessions", "/api/sessions/1"]
)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_a_missing_slash_is_a_404_that_names_the_right_path(client: Client, method: str, path: str) -> None:
    answer = getattr(client, method)(f"{path}?page=2")

    assert read_error(answer, 404) == f"Paths end in a slash here: {path}/"
    assert "Location" not in answer


def test_the_prefix_without_a_slash_is_a_404(client: Client) -> None:
    assert read_error(client.get("/api"), 404) == "There is nothing at this path."


@pytest.mark.parametrize("number", [0, 2**63, 10**30])
def test_an_id_out_of_range_is_a_404(john: User, number: int) -> None:
    read_error(Api(john).get(f"/api/sessions/{number}/"), 404)


# --- Methods ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", TOKEN, {"POST"}),
        ("DELETE", REGISTER, {"POST"}),
        ("POST", ME, {"GET", "PATCH"}),
        ("PUT", ME, {"GET", "PATCH"}),
        ("PATCH", "/api/sessions/", {"GET", "POST"}),
        ("POST", "/api/sessions/1/", {"GET", "PUT", "DELETE"}),
        ("POST", "/api/sessions/my_sessions/", {"GET"}),
        ("TRACE", ME, {"GET", "PATCH"}),
        ("BREW", ME, {"GET", "PATCH"}),
        ("OPTIONS", ME, {"GET", "PATCH"}),
        ("OPTIONS", "/api/sessions/", {"GET", "POST"}),
    ],
)
def test_a_wrong_method_is_a_405_with_an_allow_header(
    client: Client, method: str, path: str, allowed: set[str]
) -> None:
    answer = client.generic(method, path)

    assert read_error(answer, 405) == "This path does not take that method."
    assert set(answer["Allow"].split(", ")) == allowed


@pytest.mark.parametrize(("path", "status"), [("/api/nothing/", 404), (ME, 405)])
def test_the_response_to_a_head_request_has_no_body(client: Client, path: str, status: int) -> None:
    answer = client.head(path)

    assert answer.status_code == status
    assert answer.content == b""
    assert answer["Content-Type"].startswith("application/json")
    assert answer["X-Request-ID"]


# --- Bodies -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'username': 'x'}",
        b'{"username": NaN}',
        b'{"username": "\xff"}',
        b'{"username": "\\ud800"}',
        b"username=x",
        b"\x00",
        b'{"a": 1} {"b": 2}',
        b'{"a":' * 100_000,
        b"[" * 100_000,
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b" ",
    ],
)
def test_malformed_json_is_a_400(client: Client, body: bytes) -> None:
    answer = client.generic("POST", TOKEN, body, content_type="application/json")

    assert read_error(answer, 400).startswith("The body is not valid JSON: ")


@pytest.mark.parametrize("body", [b"null", b"[]", b'["username"]', b'"username"', b"1", b"true", b"1.5"])
def test_json_that_is_not_an_object_is_a_400(client: Client, body: bytes) -> None:
    answer = client.generic("POST", TOKEN, body, content_type="application/json")

    assert read_error(answer, 400) == "The body must be a JSON object."


@pytest.mark.parametrize("kind", ["", "application/json", "text/plain", "multipart/form-data; boundary=x"])
def test_a_missing_body_is_a_400_that_names_the_required_fields(client: Client, kind: str) -> None:
    answer = client.generic("POST", TOKEN, b"", content_type=kind)

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "username: This field is required.",
        "fields": {"username": ["This field is required."], "password": ["This field is required."]},
    }


@pytest.mark.parametrize(("method", "path"), [("PATCH", ME), ("PUT", "/api/notifications/preferences/")])
def test_a_missing_body_without_required_fields_changes_nothing(john: User, method: str, path: str) -> None:
    before = Api(john).get(path).json()

    answer = getattr(Api(john), method.lower())(path)

    assert (answer.status_code, answer.json()) == (200, before)


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonp",
        "",
        "nonsense",
        "; charset=utf-8",
    ],
)
def test_a_wrong_content_type_is_a_415(client: Client, kind: str) -> None:
    answer = client.generic("POST", TOKEN, b'{"username": "x", "password": "y"}', content_type=kind)

    assert read_error(answer, 415) == "Send this body as application/json."


@pytest.mark.parametrize(
    "kind",
    [
        "application/json; charset=utf-8",
        "Application/JSON",
        'application/json;charset="UTF-8"',
        "application/json; x=y",
    ],
)
def test_json_may_have_parameters_in_its_content_type(member: User, client: Client, kind: str) -> None:
    body = f'{{"username": "john_doe", "password": "{PASSWORD}"}}'.encode()

    assert client.generic("POST", TOKEN, body, content_type=kind).status_code == 200


@pytest.fixture
def member(john: User) -> User:
    john.set_password(PASSWORD)
    john.save()
    return john


def test_a_body_beyond_what_json_may_be_is_a_413(client: Client) -> None:
    answer = client.post(TOKEN, {"username": "x" * (1024 * 1024), "password": "y"}, content_type="application/json")

    assert read_error(answer, 413) == "The body is larger than anything that is accepted here."


@pytest.mark.parametrize("path", [TOKEN, ME, "/api/sessions/", "/api/nothing/", "/api/sessions"])
def test_a_body_beyond_what_any_operation_takes_is_a_413_before_anything_is_read(
    client: Client, settings: Any, path: str
) -> None:
    answer = client.generic(
        "POST", path, b"", content_type="application/json", CONTENT_LENGTH=str(settings.REQUEST_MAX_BYTES + 1)
    )

    read_error(answer, 413)


def test_every_wrong_value_is_named(client: Client) -> None:
    answer = client.post(REGISTER, {"username": 1, "first_name": "x" * 151}, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "username: Must be text.",
        "fields": {
            "username": ["Must be text."],
            "email": ["This field is required."],
            "password": ["This field is required."],
            "first_name": ["At most 150 characters."],
        },
    }
