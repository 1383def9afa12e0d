"""Adding a file, a link or a note."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.modules.materials.conftest import JOINED, ORIGIN, PATH, MaterialsApi

from core.facts.models import FactRecord
from modules.materials.models import Material, StoredFile
from modules.materials.uploads import sanitize_name

KEYS = ["id", "title", "type", "url", "file", "file_name", "content", "uploaded_by", "uploaded_at"]


def john(creator: MaterialsApi) -> dict[str, Any]:
    assert creator.user is not None
    assert creator.user.date_joined == JOINED
    return {
        "id": creator.user.pk,
        "username": "john_doe",
        "first_name": "John",
        "last_name": "Doe",
        "email": "john@example.com",
        "date_joined": "2024-01-01T00:00:00Z",
    }


def test_a_link_is_added(creator: MaterialsApi) -> None:
    body = {"title": "Python Documentation", "type": "link", "url": "https://docs.python.org/3/"}
    response = creator.post(PATH, body)
    assert response.status_code == 201
    assert response.json() == {
        "id": Material.objects.get().pk,
        "title": "Python Documentation",
        "type": "link",
        "url": "https://docs.python.org/3/",
        "file": "",
        "file_name": "",
        "content": "",
        "uploaded_by": john(creator),
        "uploaded_at": "2024-01-12T10:00:00Z",
    }
    assert list(response.json()) == KEYS


def test_a_note_is_added(creator: MaterialsApi) -> None:
    response = creator.post(PATH, {"title": "Bring along", "type": "note", "content": "A pen.\nPaper."})
    assert response.status_code == 201
    assert response.json() == {
        "id": Material.objects.get().pk,
        "title": "Bring along",
        "type": "note",
        "url": "",
        "file": "",
        "file_name": "",
        "content": "A pen.\nPaper.",
        "uploaded_by": john(creator),
        "uploaded_at": "2024-01-12T10:00:00Z",
    }


def test_a_file_is_added(creator: MaterialsApi, stored: Callable[[], list[bytes]]) -> None:
    response = creator.add_file("python_basics.pdf", b"%PDF-1.4 basics", title="Python Basics PDF")
    assert response.status_code == 201
    answer = response.json()
    assert list(answer) == KEYS
    address = answer.pop("file")
    assert answer == {
        "id": Material.objects.get().pk,
        "title": "Python Basics PDF",
        "type": "file",
        "url": "",
        "file_name": "python_basics.pdf",
        "content": "",
        "uploaded_by": john(creator),
        "uploaded_at": "2024-01-12T10:00:00Z",
    }
    assert address.startswith(f"{ORIGIN}/api/files/")
    assert stored() == [b"%PDF-1.4 basics"]


def test_a_link_is_added_by_a_form(creator: MaterialsApi) -> None:
    response = creator.upload(PATH, {"title": "Docs", "type": "link", "url": "https://example.com/"})
    assert response.status_code == 201
    assert response.json()["url"] == "https://example.com/"


def test_a_note_from_a_form_has_plain_line_ends(creator: MaterialsApi) -> None:
    response = creator.upload(PATH, {"title": "Note", "type": "note", "content": "one\r\ntwo"})
    assert response.json()["content"] == "one\ntwo"


def test_the_stored_file_is_described(creator: MaterialsApi) -> None:
    creator.add_file("notes.txt", b"hello")
    file = StoredFile.objects.get()
    assert (file.size, file.content_type) == (5, "text/plain; charset=utf-8")
    assert file.sha256 == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert (file.released_at, file.sweep_at) == (None, None)


def test_the_name_in_the_storage_is_independent_of_the_file_name(creator: MaterialsApi) -> None:
    creator.add_file("passwd.txt", b"hello")
    creator.add_file("passwd.txt", b"hello")
    names = list(StoredFile.objects.values_list("name", flat=True))
    assert len(set(names)) == 2
    assert all(re.fullmatch(r"raw/([0-9a-f]{2})/\1[0-9a-f]{38}\.txt", name) for name in names)


def test_adding_records_a_fact(creator: MaterialsApi) -> None:
    assert creator.user is not None
    creator.post(PATH, {"title": "Docs", "type": "link", "url": "https://example.com/"})
    record = FactRecord.objects.get(name="materials.MaterialAdded")
    material = Material.objects.get()
    assert (record.session_id, record.actor_id) == (7, creator.user.pk)
    assert record.payload == {
        "material_id": material.pk,
        "session_id": 7,
        "title": "Docs",
        "uploader_id": creator.user.pk,
    }


def test_values_that_do_not_belong_to_the_type_are_ignored(creator: MaterialsApi) -> None:
    link = {"title": "A", "type": "link", "url": "https://example.com/", "content": "x", "file_name": "y", "file": "z"}
    assert creator.post(PATH, link).json()["content"] == ""
    note = {"title": "B", "type": "note", "url": "javascript:alert(1)", "content": "x"}
    assert creator.post(PATH, note).json()["url"] == ""
    form = {"title": "C", "type": "file", "url": "https://example.com/", "content": "x"}
    answer = creator.upload(PATH, {**form, "file": SimpleUploadedFile("c.txt", b"c")}).json()
    assert (answer["url"], answer["content"]) == ("", "")


def test_read_only_fields_are_ignored(creator: MaterialsApi, tutor: MaterialsApi) -> None:
    assert tutor.user is not None
    chosen = {"id": 4711, "uploaded_by": {"id": tutor.user.pk}, "uploaded_at": "2020-01-01T00:00:00Z", "session_id": 8}
    response = creator.post(PATH, {"title": "A", "type": "note", "content": "x", **chosen})
    assert response.json()["uploaded_by"] == john(creator)
    assert response.json()["uploaded_at"] == "2024-01-12T10:00:00Z"
    assert Material.objects.get().session_id == 7


@pytest.mark.parametrize("kind", ["link", "note"])
def test_a_file_sent_with_a_link_or_note_is_refused(
    kind: str, creator: MaterialsApi, nothing_left: Callable[[], bool]
) -> None:
    form = {"title": "A", "type": kind, "url": "https://example.com/", "content": "x"}
    response = creator.upload(PATH, {**form, "file": SimpleUploadedFile("notes.txt", b"hello")})
    assert response.status_code == 400
    assert response.json()["fields"] == {"file": [f"A {kind} has no file."]}
    assert nothing_left()


VALID = {"title": "A", "type": "link", "url": "https://example.com/"}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({**VALID, "title": ""}, {"title": ["This field may not be empty."]}),
        ({**VALID, "title": "   "}, {"title": ["This field may not be empty."]}),
        ({**VALID, "title": "x" * 201}, {"title": ["At most 200 characters."]}),
        ({**VALID, "title": "two\nlines"}, {"title": ["May not contain line breaks or control characters."]}),
        ({**VALID, "title": "a\u202eb"}, {"title": ["May not turn the direction of the text that comes after it."]}),
        ({**VALID, "title": "a\x00b"}, {"title": ["May not contain NUL characters or broken Unicode."]}),
        ({**VALID, "title": None}, {"title": ["Must be text."]}),
        ({"type": "link", "url": "https://example.com/"}, {"title": ["This field is required."]}),
        ({**VALID, "type": "video"}, {"type": ["Must be one of 'file', 'link' or 'note'."]}),
        ({"title": "A", "url": "https://example.com/"}, {"type": ["This field is required."]}),
        ({"title": "A", "type": "link"}, {"url": ["A link needs a url."]}),
        ({**VALID, "url": None}, {"url": ["A link needs a url."]}),
        ({**VALID, "url": 5}, {"url": ["Must be text."]}),
        ({"title": "A", "type": "note"}, {"content": ["A note needs a content."]}),
        ({"title": "A", "type": "note", "content": " \n "}, {"content": ["A note needs a content."]}),
        ({"title": "A", "type": "note", "content": "x" * 50_001}, {"content": ["At most 50000 characters."]}),
        (
            {"title": "A", "type": "note", "content": "a\x00"},
            {"content": ["May not contain NUL characters or broken Unicode."]},
        ),
        ({"title": "A", "type": "file"}, {"file": ["Send a file, in a form (multipart/form-data)."]}),
        ({"title": "A", "type": "file", "file": "x.pdf"}, {"file": ["Send a file, in a form (multipart/form-data)."]}),
    ],
)
def test_invalid_values_are_refused(
    body: dict[str, Any], fields: dict[str, list[str]], creator: MaterialsApi, nothing_left: Callable[[], bool]
) -> None:
    response = creator.post(PATH, body)
    assert response.status_code == 400
    (name, (message,)) = next(iter(fields.items()))
    assert response.json() == {"error": f"{name}: {message}", "fields": fields}
    assert nothing_left()


@pytest.mark.parametrize(
    "url",
    [
        "https://docs.python.org/3/",
        "http://example.com",
        "HTTPS://EXAMPLE.COM/Path?a=b&c=d#e",
        "https://example.com:8443/x",
        "http://localhost:3000/",
        "http://192.168.0.1/",
        "http://[::1]/",
        "https://bücher.example/straße",
        "https://example.com/" + "a" * 1980,
    ],
)
def test_valid_urls_are_accepted(url: str, creator: MaterialsApi) -> None:
    response = creator.post(PATH, {**VALID, "url": f"  {url} "})
    assert response.status_code == 201, response.json()
    assert response.json()["url"] == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "ftp://example.com/",
        "blob:https://example.com/x",
        "//example.com/",
        "example.com",
        "https:example.com",
        "https:///x",
        "https://",
        "https://user@example.com/",
        "https://user:secret@example.com/",
        "https://good.example\\@evil.example/",
        "https://exa mple.com/",
        "https://example.com/a b",
        "https://example.com/a\tb",
        "https://example.com/\u202efdp.exe",
        "https://example.com/a\u200bb",
        "https://example.com:99999/",
        "https://[::1/",
        "https://example.com/" + "a" * 1981,
    ],
)
def test_invalid_urls_are_refused(url: str, creator: MaterialsApi, nothing_left: Callable[[], bool]) -> None:
    response = creator.post(PATH, {**VALID, "url": url})
    assert response.status_code == 400
    assert list(response.json()["fields"]) == ["url"]
    assert nothing_left()


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_other_content_types_are_refused(kind: str, creator: MaterialsApi, nothing_left: Callable[[], bool]) -> None:
    response = creator.client.generic("POST", PATH, b"title=A&type=note&content=x", kind, headers=creator.headers)
    assert response.status_code == 415
    assert nothing_left()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b"[]"),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=title\r\n\r\nA"),
    ],
)
def test_malformed_bodies_are_refused(
    kind: str, body: bytes, creator: MaterialsApi, nothing_left: Callable[[], bool]
) -> None:
    response = creator.client.generic("POST", PATH, body, kind, headers=creator.headers)
    assert response.status_code == 400
    assert "error" in response.json()
    assert nothing_left()


# --- Sizes ------------------------------------------------------------------------------------------------------


def test_a_file_of_the_maximum_size_is_accepted(creator: MaterialsApi, settings: Any) -> None:
    settings.MATERIALS_MAX_BYTES = 300_000
    assert creator.add_file("notes.txt", b"x" * 300_000).status_code == 201


@pytest.mark.parametrize("size", [300_001, 299_999 + 64 * 1024, 590_000])
def test_a_file_above_the_maximum_size_is_refused(
    size: int, creator: MaterialsApi, settings: Any, nothing_left: Callable[[], bool]
) -> None:
    settings.MATERIALS_MAX_BYTES = 300_000
    response = creator.add_file("notes.txt", b"x" * size)
    assert response.status_code == 400
    assert response.json()["fields"] == {"file": ["A file may have at most 292.96 KiB."]}
    assert nothing_left()


def test_the_limit_is_25_mebibytes(creator: MaterialsApi, nothing_left: Callable[[], bool]) -> None:
    response = creator.add_file("video.txt", b"x" * (25 * 1024 * 1024 + 1))
    assert response.status_code == 400
    assert response.json()["fields"] == {"file": ["A file may have at most 25 MiB."]}
    assert nothing_left()


def test_an_upload_is_buffered_up_to_little_more_than_the_limit(
    creator: MaterialsApi, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from modules.materials import services

    sizes = []
    validate = services.validate_and_sanitize

    def measure(upload: Any) -> Any:
        sizes.append(upload.size)
        return validate(upload)

    monkeypatch.setattr(services, "validate_and_sanitize", measure)
    settings.MATERIALS_MAX_BYTES = 100_000
    assert creator.add_file("notes.txt", b"x" * 2_000_000).status_code == 400
    assert sizes[0] < 100_000 + 2 * 64 * 1024


def test_other_files_in_the_form_are_discarded(creator: MaterialsApi, stored: Callable[[], list[bytes]]) -> None:
    form = {"title": "A", "type": "file", "file": SimpleUploadedFile("a.txt", b"a")}
    response = creator.upload(PATH, {**form, "other": SimpleUploadedFile("b.txt", b"b" * 100_000)})
    assert response.status_code == 201
    assert stored() == [b"a"]


# --- Names ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("notes.txt", "notes.txt"),
        ("Übung 3 (Lösung).pdf", "Übung 3 (Lösung).pdf"),
        ("文档.docx", "文档.docx"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system32\\x.dll", "x.dll"),
        ("C:\\Users\\john\\notes.txt", "notes.txt"),
        ("/etc/passwd", "passwd"),
        ("a/b\\c/d.txt", "d.txt"),
        ("annexe\u202efdp.exe", "annexefdp.exe"),
        ("a\u2066b\u2069c\u200f.txt", "abc.txt"),
        ("a\nb\r\x00\x1b\x7f\x85.txt", "ab.txt"),
        ("a\u2028b.txt", "ab.txt"),
        ("  spaces.txt  ", "spaces.txt"),
        ("", "file"),
        ("/", "file"),
        ("..", "file"),
        ("...", "file"),
        ("dir/..", "file"),
        (".bashrc", ".bashrc"),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf"),
        ("x" * 300, "x" * 255),
        ("ü" * 300 + ".tar.gz", "ü" * 252 + ".gz"),
        ("x." + "y" * 300, "x." + "y" * 253),
    ],
)
def test_the_file_name_is_sanitized(given: str, shown: str) -> None:
    assert sanitize_name(given)[-20:] == shown[-20:]
    assert len(sanitize_name(given)) == len(shown)


@pytest.mark.parametrize("given", ["../../evil.txt", "..\\..\\evil.txt", "/tmp/evil.txt", "evil\u202e.txt"])
def test_a_hostile_file_name_in_a_form_is_sanitized(
    given: str, creator: MaterialsApi, stored: Callable[[], list[bytes]]
) -> None:
    # By hand: Django's test client would take the path away itself.
    body = (
        '--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nA\r\n'
        '--x\r\nContent-Disposition: form-data; name="type"\r\n\r\nfile\r\n'
        f'--x\r\nContent-Disposition: form-data; name="file"; filename="{given}"\r\n\r\nhello\r\n--x--\r\n'
    ).encode()
    response = creator.client.generic("POST", PATH, body, "multipart/form-data; boundary=x", headers=creator.headers)
    assert response.status_code == 201
    assert response.json()["file_name"] == "evil.txt"
    assert stored() == [b"hello"]
