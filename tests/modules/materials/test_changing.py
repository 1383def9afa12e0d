"""Changing and deleting materials."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.modules.materials.conftest import PATH, MaterialsApi

from core.facts.models import FactRecord
from modules.materials.models import Material, StoredFile
from modules.materials.services import remove_material

LINK = {"title": "Docs", "type": "link", "url": "https://docs.python.org/3/"}
NOTE = {"title": "Note", "type": "note", "content": "A pen."}

Commits = Callable[..., Any]


def upload(content: bytes, name: str = "notes.txt") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def path_of(response: Any) -> str:
    assert response.status_code in {200, 201}, response.json()
    return f"{PATH}{response.json()['id']}/"


def changes() -> list[dict[str, list[Any]]]:
    return [record.changes for record in FactRecord.objects.filter(name="materials.MaterialChanged").order_by("pk")]


@pytest.mark.parametrize("by", ["put", "put_form"])
def test_only_the_title_can_be_changed(by: str, creator: MaterialsApi) -> None:
    added = creator.post(PATH, LINK)
    response = getattr(creator, by)(path_of(added), {"title": "  Documentation "})
    assert response.status_code == 200
    assert response.json() == {**added.json(), "title": "Documentation"}
    assert changes() == [{"title": ["Docs", "Documentation"]}]


def test_the_url_of_a_link_can_be_changed(creator: MaterialsApi) -> None:
    path = path_of(creator.post(PATH, LINK))
    assert creator.put(path, {"url": "https://example.com/"}).json()["url"] == "https://example.com/"
    assert changes() == [{"url": ["https://docs.python.org/3/", "https://example.com/"]}]


def test_the_content_of_a_note_can_be_changed(creator: MaterialsApi) -> None:
    path = path_of(creator.post(PATH, NOTE))
    assert creator.put(path, {"content": "Paper."}).json()["content"] == "Paper."
    assert changes() == [{"content": ["A pen.", "Paper."]}]


@pytest.mark.parametrize("body", [LINK, NOTE], ids=["link", "note"])
def test_a_whole_object_sent_back_changes_nothing(body: dict[str, Any], creator: MaterialsApi) -> None:
    added = creator.post(PATH, body)
    response = creator.put(path_of(added), added.json())
    assert response.status_code == 200
    assert response.json() == added.json()
    assert changes() == []


def test_a_whole_file_material_sent_back_changes_nothing(
    creator: MaterialsApi, stored: Callable[[], list[bytes]]
) -> None:
    added = creator.add_file("notes.txt", b"hello")
    for send in (creator.put, creator.put_form):
        values = {**added.json(), "uploaded_by": "me"}
        response = send(path_of(added), values)
        assert response.status_code == 200
        assert response.json() == added.json()
    assert changes() == []
    assert stored() == [b"hello"]


def test_read_only_fields_are_ignored_in_changes(creator: MaterialsApi, moderator: MaterialsApi) -> None:
    added = creator.post(PATH, LINK)
    tried = {"id": 1, "uploaded_at": "2020-01-01T00:00:00Z", "uploaded_by": {"id": 2}, "file": "x", "file_name": "y"}
    assert moderator.put(path_of(added), tried).json()["file_name"] == ""
    material = Material.objects.get()
    assert (material.uploaded_by, material.uploaded_at) == (creator.user, material.uploaded_at)
    assert creator.get(path_of(added)).json() == added.json()
    assert changes() == []


def test_an_empty_body_changes_nothing(creator: MaterialsApi) -> None:
    added = creator.post(PATH, LINK)
    nulls = {"title": None, "type": None, "url": None, "content": None}
    assert creator.put(path_of(added), {}).json() == added.json()
    assert creator.put(path_of(added), nulls).json() == added.json()
    assert changes() == []


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"type": "note", "content": "x"}, {"type": ["A link stays a link: add another material instead."]}),
        ({"type": "file"}, {"type": ["A link stays a link: add another material instead."]}),
        ({"type": "video"}, {"type": ["Must be one of 'file', 'link' or 'note'."]}),
        ({"title": ""}, {"title": ["This field may not be empty."]}),
        ({"url": ""}, {"url": ["A link needs a url."]}),
        ({"url": "javascript:alert(1)"}, {"url": ["Must begin with http:// or https://."]}),
    ],
)
def test_invalid_values_change_nothing(
    body: dict[str, Any], fields: dict[str, list[str]], creator: MaterialsApi
) -> None:
    added = creator.post(PATH, LINK)
    response = creator.put(path_of(added), {"title": "Changed", **body})
    assert response.status_code == 400
    assert response.json()["fields"] == fields
    assert creator.get(path_of(added)).json() == added.json()


def test_what_does_not_belong_to_the_type_is_passed_over(creator: MaterialsApi) -> None:
    added = creator.post(PATH, LINK)
    assert creator.put(path_of(added), {"content": "x"}).json() == added.json()
    added = creator.add_file("notes.txt", b"hello")
    assert creator.put(path_of(added), {"content": "x", "url": "https://example.com/"}).json() == added.json()


def test_a_file_for_a_link_is_refused(creator: MaterialsApi, stored: Callable[[], list[bytes]]) -> None:
    response = creator.put_form(path_of(creator.post(PATH, LINK)), {"file": upload(b"hello")})
    assert response.status_code == 400
    assert response.json()["fields"] == {"file": ["A link has no file."]}
    assert stored() == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_other_bodies_are_not_taken(kind: str, creator: MaterialsApi) -> None:
    path = path_of(creator.post(PATH, LINK))
    response = creator.client.generic("PUT", path, b"title=x", kind, headers=creator.headers)
    assert response.status_code == 415
    assert Material.objects.get().title == "Docs"


# --- Another file -----------------------------------------------------------------------------------------------


def test_a_new_file_replaces_the_old_one(
    creator: MaterialsApi, stored: Callable[[], list[bytes]], django_capture_on_commit_callbacks: Commits
) -> None:
    added = creator.add_file("notes.txt", b"hello")
    with django_capture_on_commit_callbacks(execute=True):
        response = creator.put_form(path_of(added), {"file": upload(b"%PDF-1.4", "slides.pdf")})
    assert response.status_code == 200
    answer = response.json()
    assert answer["file"] != added.json()["file"]
    assert {**answer, "file": ""} == {**added.json(), "file": "", "file_name": "slides.pdf"}
    assert stored() == [b"%PDF-1.4"]
    assert creator.client.get(added.json()["file"]).status_code == 404
    assert creator.client.get(answer["file"]).getvalue() == b"%PDF-1.4"


def test_replacing_a_file_records_a_fact(creator: MaterialsApi) -> None:
    added = creator.add_file("notes.txt", b"hello")
    before = StoredFile.objects.get().sha256
    creator.put_form(path_of(added), {"title": "Slides", "file": upload(b"%PDF-1.4", "slides.pdf")})
    after = Material.objects.get().file
    assert after is not None
    assert changes() == [
        {
            "title": ["A file", "Slides"],
            "file_name": ["notes.txt", "slides.pdf"],
            "sha256": [before, after.sha256],
            "size": [5, 8],
            "content_type": ["text/plain; charset=utf-8", "application/pdf"],
        }
    ]


def test_the_same_file_again_is_no_change(creator: MaterialsApi, stored: Callable[[], list[bytes]]) -> None:
    added = creator.add_file("notes.txt", b"hello")
    response = creator.put_form(path_of(added), {"file": upload(b"hello")})
    assert response.json() == added.json()
    assert changes() == []
    assert stored() == [b"hello"]


def test_the_same_bytes_with_another_name_change_only_the_name(
    creator: MaterialsApi, stored: Callable[[], list[bytes]]
) -> None:
    added = creator.add_file("notes.txt", b"hello")
    response = creator.put_form(path_of(added), {"file": upload(b"hello", "summary.txt")})
    assert response.json() == {**added.json(), "file_name": "summary.txt"}
    assert changes() == [{"file_name": ["notes.txt", "summary.txt"]}]
    assert stored() == [b"hello"]


def test_a_file_that_is_too_large_replaces_nothing(
    creator: MaterialsApi, settings: Any, stored: Callable[[], list[bytes]]
) -> None:
    added = creator.add_file("notes.txt", b"hello")
    settings.MATERIALS_MAX_BYTES = 10
    response = creator.put_form(path_of(added), {"file": upload(b"x" * 11)})
    assert response.status_code == 400
    assert list(response.json()["fields"]) == ["file"]
    assert stored() == [b"hello"]


# --- Deleting ---------------------------------------------------------------------------------------------------


def test_deleting_a_file_material_deletes_its_file(
    creator: MaterialsApi, nothing_left: Callable[[], bool], django_capture_on_commit_callbacks: Commits
) -> None:
    added = creator.add_file("notes.txt", b"hello")
    with django_capture_on_commit_callbacks(execute=True):
        response = creator.delete(path_of(added))
    assert response.status_code == 204
    assert response.content == b""
    assert nothing_left()
    assert creator.client.get(added.json()["file"]).status_code == 404


def test_deleting_records_a_fact(creator: MaterialsApi) -> None:
    added = creator.post(PATH, LINK)
    creator.delete(path_of(added))
    record = FactRecord.objects.get(name="materials.MaterialRemoved")
    assert creator.user is not None
    assert record.payload == {
        "material_id": added.json()["id"],
        "session_id": 7,
        "title": "Docs",
        "uploader_id": creator.user.pk,
    }
    assert (record.actor, record.reason) == (creator.user, "")


def test_the_reason_of_a_removal_is_recorded(tutor: MaterialsApi, moderator: MaterialsApi) -> None:
    added = tutor.post(PATH, LINK).json()
    assert tutor.user is not None
    assert moderator.user is not None
    remove_material(session_id=7, material_id=added["id"], by=moderator.user, reason="  Not yours to share. ")
    record = FactRecord.objects.get(name="materials.MaterialRemoved")
    assert (record.actor, record.reason) == (moderator.user, "Not yours to share.")
    assert record.payload["uploader_id"] == tutor.user.pk


def test_deleting_twice_is_a_404(creator: MaterialsApi) -> None:
    path = path_of(creator.post(PATH, LINK))
    assert creator.delete(path).status_code == 204
    assert creator.delete(path).status_code == 404


def test_other_materials_are_not_deleted(creator: MaterialsApi, stored: Callable[[], list[bytes]]) -> None:
    kept = creator.add_file("kept.txt", b"kept").json()
    creator.delete(path_of(creator.post(PATH, LINK)))
    assert creator.get(PATH).json() == [kept]
    assert stored() == [b"kept"]
