"""The content type is detected from the bytes."""

import random
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.modules.materials.conftest import MaterialsApi
from tests.modules.materials.samples import (
    ACCEPTED,
    PAGE,
    PDF,
    REFUSED,
    SVG,
    TEXTS,
    WINDOWS,
    djvu,
    office,
    png,
    saved,
    zipped,
    zipped_parts,
)

from modules.materials.file_types import ACCEPTED as WHAT_IS_ACCEPTED
from modules.materials.models import Material, StoredFile
from modules.materials.uploads import validate_and_sanitize


@pytest.mark.parametrize("kind", ACCEPTED)
def test_a_file_is_accepted_with_its_content_type(
    kind: str, creator: MaterialsApi, stored: Callable[[], list[bytes]]
) -> None:
    content, content_type = ACCEPTED[kind]
    response = creator.add_file("unnamed", content)
    assert response.status_code == 201, response.json()
    assert StoredFile.objects.get().content_type == content_type
    assert stored() == [content]


@pytest.mark.parametrize("kind", TEXTS)
def test_text_and_source_code_are_stored_as_plain_text(kind: str, creator: MaterialsApi) -> None:
    response = creator.add_file("unnamed", TEXTS[kind])
    assert response.status_code == 201, response.json()
    encoding = "utf-16" if kind == "utf-16" else "utf-8"
    assert StoredFile.objects.get().content_type == f"text/plain; charset={encoding}"


HONEST: dict[str, tuple[bytes, str]] = {
    "pdf with an archive attached": (
        PDF[:-6] + zipped(x=b"y") + b"\nendstream\nendobj\n" + PDF[-80:],
        "application/pdf",
    ),
    "pdf that was saved twice": (PDF + PDF[9:], "application/pdf"),
    "pdf on a disk that pads with zeros": (PDF + bytes(5000), "application/pdf"),
    "pdf with a note in it": (
        PDF.replace(b"%%EOF", b"% " * 600 + b'<body xmlns="http://www.w3.org/1999/xhtml">Hello</body>\n%%EOF'),
        "application/pdf",
    ),
    "pdf without an end": (PDF[:-6], "application/pdf"),
    "rtf with a picture": (rb"{\rtf1{\pict\pngblip 89504e47}}", "application/rtf"),
    "rtf with a formula of its own": (rb"{\rtf1{\mmath{\mr x}}}", "application/rtf"),
    "word with a formula of 1998": (
        office(more=("word/embeddings/oleObject1.bin",)),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    "excel with a chart": (
        office("spreadsheetml.sheet", more=("xl/embeddings/Microsoft_Excel_Sheet1.xlsx",)),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    "zip of documents": (zipped_parts([("a.pdf", PDF), ("b.html", PAGE)]), "application/zip"),
    "zip with nothing in it": (zipped_parts([]), "application/zip"),
    "zip of a project with its programs": (zipped_parts([("bin/Main.class", b"\xca\xfe\xba\xbe")]), "application/zip"),
    "png of a drawing": (png(text=b"%3Cmxfile%3E%3C/mxfile%3E <mxfile host='x'></mxfile>"), "image/png"),
    "png with a letter that could begin a page": (png(text=b"a <b> c <h1> d"), "image/png"),
    "tiff that is written from the other end": (saved("TIFF", big_endian=True), "image/tiff"),
    "book of scanned pages": (djvu(), "image/vnd.djvu"),
    "letter": (b"From: a@example.com\nContent-Type: text/plain\n\nHello\n", "text/plain; charset=utf-8"),
    "letter with a page beside it": (
        b"From: a@example.com\nContent-Type: multipart/alternative; boundary=x\n\n--x\n\nHello\n",
        "text/plain; charset=utf-8",
    ),
}


@pytest.mark.parametrize("kind", HONEST)
def test_files_that_resemble_an_attack_are_accepted(kind: str) -> None:
    content, content_type = HONEST[kind]
    assert validate_and_sanitize(SimpleUploadedFile("unnamed", content)).content_type == content_type


def test_random_pixels_are_not_detected_as_markup() -> None:
    pixels = random.Random(1).randbytes(25_000_000).replace(b"\xff", b"\xfe")
    photo = saved("JPEG").removesuffix(b"\xff\xd9") + pixels + b"\xff\xd9"
    assert validate_and_sanitize(SimpleUploadedFile("unnamed", photo)).content_type == "image/jpeg"


@pytest.mark.parametrize("kind", REFUSED)
def test_a_refusal_names_the_accepted_types(kind: str, creator: MaterialsApi, nothing_left: Callable[[], bool]) -> None:
    response = creator.add_file("holiday.png", REFUSED[kind])
    assert response.status_code == 400
    assert response.json() == {"error": f"file: {WHAT_IS_ACCEPTED}", "fields": {"file": [WHAT_IS_ACCEPTED]}}
    assert nothing_left()


@pytest.mark.parametrize("name", ["notes.txt", "slides.pdf", "photo.jpg", "archive.zip", "letter.docx", "no_extension"])
@pytest.mark.parametrize("content", [WINDOWS, PAGE, SVG], ids=["program", "page", "SVG"])
def test_the_file_name_does_not_make_bytes_acceptable(
    name: str, content: bytes, creator: MaterialsApi, nothing_left: Callable[[], bool]
) -> None:
    assert creator.add_file(name, content).status_code == 400
    assert nothing_left()


@pytest.mark.parametrize("name", ["holiday.exe", "page.html", "drawing.svg", "run.bat"])
def test_the_file_name_does_not_make_bytes_unacceptable(name: str, creator: MaterialsApi) -> None:
    response = creator.add_file(name, ACCEPTED["png"][0])
    assert response.status_code == 201
    assert StoredFile.objects.get().content_type == "image/png"


def test_the_content_type_sent_by_the_client_is_ignored(creator: MaterialsApi) -> None:
    file = SimpleUploadedFile("notes.txt", b"hello", content_type="text/html")
    response = creator.upload("/api/sessions/7/materials/", {"title": "Notes", "type": "file", "file": file})
    assert response.status_code == 201
    assert StoredFile.objects.get().content_type == "text/plain; charset=utf-8"


def test_an_empty_file_is_refused(creator: MaterialsApi, nothing_left: Callable[[], bool]) -> None:
    response = creator.add_file("empty.txt", b"")
    assert response.status_code == 400
    assert response.json() == {"error": "file: This file is empty.", "fields": {"file": ["This file is empty."]}}
    assert nothing_left()


def test_a_refused_replacement_keeps_the_file(creator: MaterialsApi, stored: Callable[[], list[bytes]]) -> None:
    added = creator.add_file("notes.txt", b"hello").json()
    path = f"/api/sessions/7/materials/{added['id']}/"
    response = creator.put_form(path, {"title": "New title", "file": SimpleUploadedFile("notes.txt", PAGE)})
    assert response.status_code == 400
    assert Material.objects.get().title == "A file"
    assert stored() == [b"hello"]
