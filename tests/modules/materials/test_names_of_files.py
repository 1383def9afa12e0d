"""Files in forms are found whatever their names and encodings, and their names are sanitized."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.modules.materials.conftest import PATH, MaterialsApi

from modules.materials.uploads import sanitize_name

NO_FILE = "Send a file, in a form (multipart/form-data)."


def part(head: bytes, content: bytes) -> bytes:
    return b"--x\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + content + b"\r\n"


def send(creator: MaterialsApi, *parts: bytes) -> Any:
    """Builds the request itself: Django's test client encodes names in UTF-8 and removes paths."""
    fields = part(b'name="title"', b"A file") + part(b'name="type"', b"file")
    body = fields + b"".join(parts) + b"--x--\r\n"
    return creator.client.generic("POST", PATH, body, "multipart/form-data; boundary=x", headers=creator.headers)


@pytest.mark.parametrize(
    ("parameter", "shown"),
    [
        (b'filename="caf\xe9.txt"', "café.txt"),
        (b'filename="caf\xc3\xa9.txt"', "café.txt"),
        (b"filename=caf\xe9.txt", "café.txt"),
        (b'filename="\x80uro.txt"', "€uro.txt"),
        (b'filename="\x81\x9d.txt"', ".txt"),
        (b'filename="cafe\xcc\x81.txt"', "café.txt"),
        (b"filename*=UTF-8''caf%C3%A9.txt", "café.txt"),
        (b"filename*=utf-8'fr'cafe%CC%81.txt", "café.txt"),
        (b"filename*=ISO-8859-1''caf%E9.txt", "café.txt"),
        (b"filename*=Shift_JIS''%95%B6%8F%91.txt", "文書.txt"),
        (b"filename*=zlib''caf%E9.txt", "café.txt"),
        (b"filename*=nonsense''caf%C3%A9.txt", "café.txt"),
        (b"filename*=UTF-8''caf%E9.txt", "café.txt"),
        (b"filename*=caf%C3%A9.txt", "café.txt"),
        (b"filename=\"cafe.txt\"; filename*=UTF-8''caf%C3%A9.txt", "café.txt"),
        (b"filename*=UTF-8''caf%C3%A9.txt; filename=\"cafe.txt\"", "café.txt"),
        (b"filename*=; filename=\"cafe.txt\"", "cafe.txt"),
        (b"filename*0=\"a long \"; filename*1=\"name.txt\"", "a long name.txt"),
        (b"filename*0*=UTF-8''caf%C3%A9; filename*1*=%20au%20lait.txt", "café au lait.txt"),
        (b'filename="=?UTF-8?B?Y2Fmw6kudHh0?="', "café.txt"),
        (b'filename="=?ISO-8859-1?Q?caf=E9=2Etxt?="', "café.txt"),
        (b'filename="=?UTF-8?Q?a=20long_?= =?utf-8?b?bmFtZS50eHQ?="', "a long name.txt"),
        (b'filename="=?UTF-8?Q?100%25.txt?="', "100%25.txt"),
        (b'filename="=?zlib?B?Y2Fmw6kudHh0?="', "café.txt"),
        (b'filename="=?UTF-8?B?Y?="', "=?UTF-8?B?Y?="),
        (b'filename="say %22hi%22%0D%0A.txt"', 'say "hi".txt'),
        (b'filename="100%25.txt"', "100%25.txt"),
        (b'filename="say \\"hi\\".txt"', 'say "hi".txt'),
        (b'filename="&#20320;&#22909;.txt"', "你好.txt"),
        (b'filename="fish&chips&copy.txt"', "fish&chips&copy.txt"),
        (b'filename="a.txt', "a.txt"),
        (b'filename="C:\\Users\\john\\a.txt"', "a.txt"),
        (b'filename=".."', "file"),
        (b'filename="."', "file"),
        (b'filename="/"', "file"),
        (b'filename=""', "file"),
        (b"filename=", "file"),
        (b'filename="\x00\x01.txt"', ".txt"),
        (b'filename="a\xe2\x80\xaetxt.exe"', "atxt.exe"),
        (b'filename="a\xe2\x80\x8b\xc2\xadb.txt"', "ab.txt"),
        (b'filename="Screenshot 3.45\xe2\x80\xafPM.png"', "Screenshot 3.45\u202fPM.png"),
        ('filename="👩\u200d💻.txt"'.encode(), "👩\u200d💻.txt"),
        (b'filename="' + b"x" * 5000 + b'.txt"', "x" * 251 + ".txt"),
        (b'filename="' + "e\u0301".encode() * 250 + b'.txt"', "é" * 250 + ".txt"),
        (b"filename*=UTF-8''" + b"%F0%9F%98%80" * 3000, "😀" * 255),
        (b'\r\n\tfilename="folded.txt"', "folded.txt"),
        (b'FileName="a.txt"', "a.txt"),
    ],
)  # fmt: skip
def test_a_file_is_found_in_a_multipart_form(
    parameter: bytes, shown: str, creator: MaterialsApi, stored: Callable[[], list[bytes]]
) -> None:
    response = send(creator, part(b'name="file"; ' + parameter, b"hello"))
    assert response.status_code == 201, response.json()
    assert response.json()["file_name"] == shown
    assert stored() == [b"hello"]


def test_a_file_name_made_to_be_slow_is_parsed_quickly(
    creator: MaterialsApi, stored: Callable[[], list[bytes]]
) -> None:
    marks = "a" + "\u0301\u0316" * 15_000 + ".txt"
    response = send(creator, part(b'name="file"; filename="' + marks.encode() + b'"', b"hello"))
    assert response.status_code == 201
    assert len(response.json()["file_name"]) <= 255
    assert stored() == [b"hello"]


@pytest.mark.parametrize("name", [b"x." + b"y" * 400, b"a.\x00b", b"caf\xe9." + b"\xe9" * 300])
def test_any_file_name_works_with_a_temporary_file(
    name: bytes, creator: MaterialsApi, stored: Callable[[], list[bytes]], settings: Any
) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 0
    assert send(creator, part(b'name="file"; filename="' + name + b'"', b"hello")).status_code == 201
    assert stored() == [b"hello"]


def test_a_file_with_a_content_type_but_no_name_is_found(
    creator: MaterialsApi, stored: Callable[[], list[bytes]]
) -> None:
    response = send(creator, part(b'name="file"\r\nContent-Type: application/pdf', b"hello"))
    assert response.status_code == 201
    assert response.json()["file_name"] == "file"
    assert stored() == [b"hello"]


@pytest.mark.parametrize(
    "none",
    [
        part(b'name="file"; filename=""\r\nContent-Type: application/octet-stream', b""),
        part(b'name="file"', b"https://api.example/files/1/"),
        part(b'name="file"\r\nContent-Type: text/plain; charset=utf-8', b"https://api.example/files/1/"),
        part(b'name="other"\r\nContent-Type: application/pdf', b"hello"),
        b"--x\r\nContent-Type: application/pdf\r\n\r\nhello\r\n",
        b"",
    ],
    ids=["nobody chose one", "text", "text that says so", "another field", "no field", "nothing"],
)  # fmt: skip
def test_other_parts_are_not_files(none: bytes, creator: MaterialsApi, nothing_left: Callable[[], bool]) -> None:
    response = send(creator, none)
    assert response.status_code == 400
    assert response.json() == {"error": f"file: {NO_FILE}", "fields": {"file": [NO_FILE]}}
    assert nothing_left()


def test_two_files_are_refused(creator: MaterialsApi, nothing_left: Callable[[], bool]) -> None:
    response = send(creator, *[part(b'name="file"; filename="a.txt"', b"hello")] * 2)
    assert response.status_code == 400
    sentence = "Send one file, not several."
    assert response.json() == {"error": f"file: {sentence}", "fields": {"file": [sentence]}}
    assert nothing_left()


def test_an_empty_file_input_is_ignored(creator: MaterialsApi, stored: Callable[[], list[bytes]]) -> None:
    empty = part(b'name="file"; filename=""', b"")
    response = send(creator, empty, part(b'name="file"; filename="a.txt"', b"hello"), empty)
    assert response.status_code == 201
    assert stored() == [b"hello"]


def test_a_truncated_file_is_refused(creator: MaterialsApi, nothing_left: Callable[[], bool]) -> None:
    fields = part(b'name="title"', b"A file") + part(b'name="type"', b"file")
    body = fields + part(b'name="file"; filename="a.txt"', b"hello")
    response = creator.client.generic("POST", PATH, body, "multipart/form-data; boundary=x", headers=creator.headers)
    assert response.json()["fields"] == {"file": [NO_FILE]}
    assert nothing_left()


def test_names_are_composed_after_invisible_characters_are_removed() -> None:
    assert sanitize_name("cafe\u202e\u0301.txt") == "café.txt"


@pytest.mark.parametrize("given", ["\u200d", "\u200c.\u200d", "\u00ad", "\ufeff"])
def test_an_invisible_name_is_replaced(given: str) -> None:
    assert sanitize_name(given) == "file"
