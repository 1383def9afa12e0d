"""What a file is, decided from its bytes."""

from collections.abc import Callable

import pytest
from tests.modules.materials.conftest import MaterialsApi
from tests.modules.materials.samples import ACCEPTED, PAGE, REFUSED, SVG, TEXTS, WINDOWS

from modules.materials.file_types import ACCEPTED as WHAT_IS_ACCEPTED
from modules.materials.models import Material, StoredFile


@pytest.mark.parametrize("kind", ACCEPTED)
def test_accepts_a_file_and_knows_its_kind(kind: str, creator: MaterialsApi, stored: Callable[[], list[bytes]]) -> None:
    content, content_type = ACCEPTED[kind]
    response = creator.add_file("unnamed", content)
    assert response.status_code == 201, response.json()
    assert StoredFile.objects.get().content_type == content_type
    assert stored() == [content]


@pytest.mark.parametrize("kind", TEXTS)
def test_text_and_source_code_are_plain_text(kind: str, creator: MaterialsApi) -> None:
    response = creator.add_file("unnamed", TEXTS[kind])
    assert response.status_code == 201, response.json()
    encoding = "utf-16" if kind == "utf-16" else "utf-8"
    assert StoredFile.objects.get().content_type == f"text/plain; charset={encoding}"


@pytest.mark.parametrize("kind", REFUSED)
def test_refuses_a_file_with_a_sentence_that_says_what_is_accepted(
    kind: str, creator: MaterialsApi, nothing_left: Callable[[], bool]
) -> None:
    response = creator.add_file("holiday.png", REFUSED[kind])
    assert response.status_code == 400
    assert response.json() == {"error": f"file: {WHAT_IS_ACCEPTED}", "fields": {"file": [WHAT_IS_ACCEPTED]}}
    assert nothing_left()


@pytest.mark.parametrize("name", ["notes.txt", "slides.pdf", "photo.jpg", "archive.zip", "letter.docx", "no_extension"])
@pytest.mark.parametrize("content", [WINDOWS, PAGE, SVG], ids=["program", "page", "SVG"])
def test_no_name_makes_up_for_the_bytes(
    name: str, content: bytes, creator: MaterialsApi, nothing_left: Callable[[], bool]
) -> None:
    assert creator.add_file(name, content).status_code == 400
    assert nothing_left()


@pytest.mark.parametrize("name", ["holiday.exe", "page.html", "drawing.svg", "run.bat"])
def test_no_name_makes_bytes_worse(name: str, creator: MaterialsApi) -> None:
    response = creator.add_file(name, ACCEPTED["png"][0])
    assert response.status_code == 201
    assert StoredFile.objects.get().content_type == "image/png"


def test_what_the_sender_says_of_the_type_is_not_asked(creator: MaterialsApi) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("notes.txt", b"hello", content_type="text/html")
    response = creator.upload("/api/sessions/7/materials/", {"title": "Notes", "type": "file", "file": file})
    assert response.status_code == 201
    assert StoredFile.objects.get().content_type == "text/plain; charset=utf-8"


def test_refuses_an_empty_file(creator: MaterialsApi, nothing_left: Callable[[], bool]) -> None:
    response = creator.add_file("empty.txt", b"")
    assert response.status_code == 400
    assert response.json() == {"error": "file: This file is empty.", "fields": {"file": ["This file is empty."]}}
    assert nothing_left()


def test_a_refused_replacement_leaves_the_file_as_it_was(
    creator: MaterialsApi, stored: Callable[[], list[bytes]]
) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    added = creator.add_file("notes.txt", b"hello").json()
    path = f"/api/sessions/7/materials/{added['id']}/"
    response = creator.put_form(path, {"title": "New title", "file": SimpleUploadedFile("notes.txt", PAGE)})
    assert response.status_code == 400
    assert Material.objects.get().title == "A file"
    assert stored() == [b"hello"]
