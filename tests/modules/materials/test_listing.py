"""The list of materials, and its API document."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter
from tests.modules.materials.conftest import PATH, MaterialsApi, Sessions
from tests.modules.materials.samples import png

from core.accounts.presentation import EmailAudience
from modules.materials.schemas import MaterialOut

NOTE = {"title": "Note", "type": "note", "content": "x"}
LINK = {"title": "Link", "type": "link", "url": "https://example.com/"}


def fill(member: MaterialsApi) -> None:
    member.post(PATH, NOTE)
    member.post(PATH, LINK)
    member.add_file("photo.png", png())


def test_a_session_without_materials_has_an_empty_list(student: MaterialsApi) -> None:
    response = student.get(PATH)
    assert response.status_code == 200
    assert response.json() == []


def test_materials_are_listed_oldest_first_with_the_rows_of_their_creation(creator: MaterialsApi, clock: Any) -> None:
    first = creator.post(PATH, NOTE).json()
    clock.shift(timedelta(hours=1))
    second = MaterialsApi(creator.user).post(PATH, LINK).json()
    creator = MaterialsApi(creator.user)
    assert creator.get(PATH).json() == [first, second]
    assert creator.get(f"{PATH}{first['id']}/").json() == first


def test_a_row_has_the_declared_shape_keys_in_the_declared_order(creator: MaterialsApi) -> None:
    fill(creator)
    rows = creator.get(PATH).json()
    TypeAdapter(list[MaterialOut]).validate_python(rows)
    declared = list(MaterialOut.model_fields)
    assert [list(row) for row in rows] == [declared] * 3


def test_email_addresses_are_shown_only_to_the_allowed_audience(
    creator: MaterialsApi, tutor: MaterialsApi, student: MaterialsApi, outsider: MaterialsApi, sessions: Sessions
) -> None:
    assert creator.user is not None
    assert student.user is not None
    assert tutor.user is not None
    creator.post(PATH, NOTE)
    tutor.post(PATH, NOTE)
    sessions.let(
        creator.user,
        can_read=True,
        can_manage=True,
        audience=EmailAudience(viewer_id=creator.user.pk, others=frozenset({tutor.user.pk})),
    )
    sessions.let(
        student.user,
        can_read=True,
        audience=EmailAudience(viewer_id=student.user.pk, others=frozenset({creator.user.pk})),
    )
    emails = [row["uploaded_by"]["email"] for row in student.get(PATH).json()]
    assert emails == ["john@example.com", ""]
    emails = [row["uploaded_by"]["email"] for row in creator.get(PATH).json()]
    assert emails == ["john@example.com", "tina_tutor@example.com"]
    emails = [row["uploaded_by"]["email"] for row in tutor.get(PATH).json()]
    assert emails == ["", "tina_tutor@example.com"]


def test_materials_of_other_sessions_are_not_listed(creator: MaterialsApi, sessions: Sessions) -> None:
    fill(creator)
    assert creator.user is not None
    sessions.let(creator.user, session=8, can_read=True)
    assert creator.get(PATH.replace("7", "8")).json() == []


@pytest.mark.parametrize("times", [1, 10])
def test_the_list_takes_two_queries_besides_authentication(
    times: int, creator: MaterialsApi, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(times):
        fill(creator)
    with django_assert_num_queries(3):
        assert len(creator.get(PATH).json()) == 3 * times


def test_file_urls_begin_with_the_host_of_the_request(creator: MaterialsApi, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["learn.example"]
    creator.client.defaults["SERVER_NAME"] = "learn.example"
    creator.add_file("photo.png", png())
    [row] = creator.get(PATH).json()
    assert row["file"].startswith("http://learn.example/api/files/")


# --- The API document -------------------------------------------------------------------------------------------


@pytest.fixture
def document() -> dict[str, Any]:
    from core.api import api

    return api.get_openapi_schema(path_prefix="/api/")


def test_the_document_shows_both_kinds_of_bodies_with_examples(document: dict[str, Any]) -> None:
    path = "/api/sessions/{session_id}/materials/"
    for operation in (document["paths"][path]["post"], document["paths"][f"{path}{{material_id}}/"]["put"]):
        content = operation["requestBody"]["content"]
        assert list(content) == ["multipart/form-data", "application/json"]
        assert "file" in content["multipart/form-data"]["schema"]["properties"]
        assert "file" not in content["application/json"]["schema"]["properties"]
        assert all(each["example"] for each in content.values())


def test_the_document_names_every_operation_with_its_errors(document: dict[str, Any]) -> None:
    found = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if operation["tags"] == ["Materials"]:
                assert operation["summary"]
                assert operation["description"]
                statuses = " ".join(str(status) for status in operation["responses"])
                found[f"{method} {path.removeprefix('/api/')}"] = (operation["operationId"], statuses)
    materials = "sessions/{session_id}/materials/"
    assert found == {
        f"get {materials}": ("list_materials", "200 401 403 404 500 503"),
        f"post {materials}": ("add_material", "201 400 401 403 404 408 413 415 429 500 503"),
        f"get {materials}{{material_id}}/": ("get_material", "200 401 403 404 500 503"),
        f"put {materials}{{material_id}}/": ("change_material", "200 400 401 403 404 408 413 415 429 500 503"),
        f"delete {materials}{{material_id}}/": ("delete_material", "204 401 403 404 500 503"),
        "get files/{token}/": ("get_file", "200 403 404 412 416 500 503 206 302 304"),
    }
