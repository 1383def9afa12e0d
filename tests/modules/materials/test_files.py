"""Reading a file by its signed URL."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.signing import Signer
from django.test import Client
from tests.modules.materials.conftest import ORIGIN, PATH, MaterialsApi
from tests.modules.materials.samples import ACCEPTED, PDF, png

from modules.materials.files.download_urls import SALT
from modules.materials.files.response import StreamedFile
from modules.materials.models import StoredFile


@pytest.fixture
def stranger() -> Client:
    """A client without an access token."""
    return Client(raise_request_exception=False)


@pytest.fixture
def address(creator: MaterialsApi) -> Callable[..., str]:
    """The URL of a file that was just added."""

    def add(name: str = "notes.txt", content: bytes = b"hello") -> str:
        address: str = creator.add_file(name, content).json()["file"]
        assert address.startswith(ORIGIN)
        return address

    return add


def test_the_bytes_are_served(stranger: Client, address: Callable[..., str]) -> None:
    content = bytes(range(256)) * 1000
    response = stranger.get(address("x.gz", b"\x1f\x8b\x08" + content))
    assert response.status_code == 200
    assert response.getvalue() == b"\x1f\x8b\x08" + content
    assert response["Content-Length"] == "256003"


def test_the_headers_of_a_file(stranger: Client, address: Callable[..., str]) -> None:
    response = stranger.get(address("slides.pdf", PDF))
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == 'attachment; filename="slides.pdf"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].split("; ")[:2] == ["sandbox", "default-src 'none'"]
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["Cache-Control"] == "private, max-age=600"
    assert not response.cookies
    assert "Set-Cookie" not in response
    response.close()


@pytest.mark.parametrize("kind", ACCEPTED)
def test_pictures_audio_and_video_are_inline_and_others_attachments(
    kind: str, stranger: Client, address: Callable[..., str]
) -> None:
    content, content_type = ACCEPTED[kind]
    response = stranger.get(address("name.html", content))
    disposition = "inline" if content_type.split("/")[0] in {"image", "audio", "video"} else "attachment"
    assert response["Content-Type"] == content_type
    assert response["Content-Disposition"] == f'{disposition}; filename="name.html"'
    assert response.getvalue() == content


def test_source_code_is_served_as_a_plain_text_attachment(stranger: Client, address: Callable[..., str]) -> None:
    response = stranger.get(address("page.php", b"<?php echo 1 ?><script>alert(1)</script>"))
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="page.php"'
    response.close()


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("Übung.txt", "attachment; filename*=utf-8''%C3%9Cbung.txt"),
        ("文档.txt", "attachment; filename*=utf-8''%E6%96%87%E6%A1%A3.txt"),
        ('a"b; x=y.txt', 'attachment; filename="a\\"b; x=y.txt"'),
    ],
)
def test_file_names_are_preserved(name: str, disposition: str, stranger: Client, address: Callable[..., str]) -> None:
    from modules.materials.models import Material

    url = address()
    Material.objects.update(file_name=name)
    response = stranger.get(url)
    assert response["Content-Disposition"] == disposition
    response.close()


def test_caches_keep_a_file_for_the_remaining_validity_of_its_url(
    stranger: Client, address: Callable[..., str], clock: Any
) -> None:
    url = address()
    clock.shift(timedelta(minutes=9, seconds=59))
    response = stranger.get(url)
    assert response.getvalue() == b"hello"
    assert response["Cache-Control"] == "private, max-age=1"


def test_a_url_expires(stranger: Client, address: Callable[..., str], clock: Any) -> None:
    url = address()
    clock.shift(timedelta(minutes=10))
    response = stranger.get(url)
    assert response.status_code == 403
    assert response.json() == {
        "error": "This address has run out. Load the materials of the session again for a new one."
    }


def test_the_validity_of_urls_is_a_setting(
    stranger: Client, address: Callable[..., str], clock: Any, settings: Any
) -> None:
    settings.MATERIALS_URL_MINUTES = 1
    url = address()
    clock.shift(timedelta(minutes=1))
    assert stranger.get(url).status_code == 403


def test_listing_again_gives_a_new_url(
    stranger: Client, address: Callable[..., str], creator: MaterialsApi, clock: Any
) -> None:
    old = address()
    clock.shift(timedelta(minutes=11))
    # The access token expires after ten minutes, too.
    assert creator.user is not None
    [material] = MaterialsApi(creator.user).get(PATH).json()
    assert material["file"] != old
    assert stranger.get(material["file"]).getvalue() == b"hello"


def forged(url: str) -> dict[str, str]:
    token = url.removeprefix(f"{ORIGIN}/api/files/").removesuffix("/")
    value, signature = token.split(":")
    number, runs_out = value.split("-")
    return {
        "later": f"{number}-{int(runs_out) + 1}:{signature}",
        "another file": f"{int(number) + 1}-{runs_out}:{signature}",
        "no signature": value,
        "empty signature": f"{value}:",
        "another signature": f"{value}:{'A' * len(signature)}",
        "half a signature": f"{value}:{signature[:20]}",
        "signed for something else": Signer(salt="something else").sign(value),
        "a name": "notes.txt",
        "nothing": "-",
    }


@pytest.mark.parametrize("how", forged(f"{ORIGIN}/api/files/1-2:3/"))
def test_a_forged_url_is_a_404(how: str, stranger: Client, address: Callable[..., str]) -> None:
    response = stranger.get(f"/api/files/{forged(address())[how]}/")
    assert response.status_code == 404
    assert response.json() == {"error": "There is no such file. Take its address from the materials of the session."}


@pytest.mark.parametrize(
    "value",
    ["", "1", "1-", "-1", "1-2-3", "x-1", "1-x", f"1-{10**30}", "1-1e308", "1-nan", "1-\x00"],
)
def test_a_signed_url_without_a_file_is_a_404(db: None, stranger: Client, value: str) -> None:
    response = stranger.get(f"/api/files/{quote(Signer(salt=SALT).sign(value))}/")

    assert response.status_code == 404
    assert response.json() == {"error": "There is no such file. Take its address from the materials of the session."}


def test_a_path_is_not_a_token(stranger: Client) -> None:
    for path in ("..%2F..%2Fdatabase.sqlite3", "../../database.sqlite3", "%2e%2e/x"):
        assert stranger.get(f"/api/files/{path}/").status_code == 404


def test_a_url_is_invalid_with_another_secret_key(stranger: Client, address: Callable[..., str], settings: Any) -> None:
    url = address()
    settings.SECRET_KEY = "another"
    assert stranger.get(url).status_code == 404


def test_lost_bytes_are_a_404_and_logged(
    stranger: Client, address: Callable[..., str], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = address()
    (folder / StoredFile.objects.get().name).unlink()
    response = stranger.get(url)
    assert response.status_code == 404
    assert response.json() == {"error": "This file is no longer there."}
    assert "are not in local" in caplog.text


def test_other_methods_are_refused(stranger: Client, address: Callable[..., str]) -> None:
    url = address()
    for method in (stranger.post, stranger.put, stranger.delete):
        assert method(url).status_code == 405
    assert stranger.get(url).getvalue() == b"hello"


def test_a_file_takes_one_query(
    stranger: Client, address: Callable[..., str], django_assert_num_queries: Callable[[int], Any]
) -> None:
    url = address("photo.png", png())
    with django_assert_num_queries(1):
        assert stranger.get(url).getvalue() == png()


def test_files_are_streamed_under_asgi(tmp_path: Path, db: None) -> None:
    content = bytes(range(256)) * 2000
    path = tmp_path / "large"
    path.write_bytes(content)

    async def read() -> list[bytes]:
        return [block async for block in response]

    response = StreamedFile(path.open("rb"))
    blocks = asyncio.run(read())
    response.close()
    assert b"".join(blocks) == content
    assert max(len(block) for block in blocks) <= StreamedFile.block_size


@pytest.mark.parametrize("content", [b"hell", b"hello, world"])
def test_a_file_of_another_size_is_not_served(
    content: bytes, stranger: Client, address: Callable[..., str], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = address()
    (folder / StoredFile.objects.get().name).write_bytes(content)
    for headers in ({}, {"range": "bytes=0-1"}):
        response = stranger.get(url, headers=headers)
        assert response.status_code == 503
        assert response.json() == {"error": "This file cannot be read just now. Try again later."}
    assert f"has {len(content)} bytes in local instead of 5" in caplog.text


def test_a_file_that_is_moved_while_it_is_opened_is_served_from_the_new_storage(
    stranger: Client, address: Callable[..., str], set_up: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from modules.materials.files import stored_files
    from modules.materials.files.transfer import move_file

    set_up("s3")
    url = address()
    opened = stored_files.open_file

    def move_and_open(file: StoredFile) -> Any:
        move_file(StoredFile.objects.get(), to="s3")
        return opened(file)

    monkeypatch.setattr(stored_files, "open_file", move_and_open)
    assert stranger.get(url).status_code == 302


def test_tokens_are_not_logged(stranger: Client, address: Callable[..., str], caplog: pytest.LogCaptureFixture) -> None:
    url = address()
    assert stranger.get(url, headers={"range": "bytes=9-"}).status_code == 416
    assert "Requested Range Not Satisfiable: /api/files/[redacted]/" in caplog.text
    assert url.split("/")[-2] not in caplog.text
