"""Recordings of browsers and phones are accepted; files that only begin like them are refused."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.modules.materials.conftest import MaterialsApi
from tests.modules.materials.recordings import (
    RECORDINGS,
    adts,
    box,
    core_audio,
    film,
    mpeg_audio,
    tag,
    transport_stream,
)
from tests.modules.materials.samples import ELF, PAGE, WINDOWS, png, zipped

from core.errors import Invalid
from modules.materials.file_types import ACCEPTED
from modules.materials.files.names import EXTENSIONS, generate_name
from modules.materials.uploads import validate_and_sanitize


@pytest.mark.parametrize("kind", RECORDINGS)
def test_a_recording_is_accepted_with_its_content_type(
    kind: str, creator: MaterialsApi, stored: Callable[[], list[bytes]]
) -> None:
    content, content_type = RECORDINGS[kind]
    response = creator.add_file("recording", content)
    assert response.status_code == 201, response.json()
    assert stored() == [content]
    served = Client().get(response.json()["file"])
    assert served["Content-Type"] == content_type
    assert served["Content-Disposition"].startswith("inline")
    assert served.getvalue() == content


DRESSED: dict[str, bytes] = {
    "two bytes of AAC": b"\xff\xf1" + bytes(range(1, 200)),
    "one frame of AAC and nonsense": adts(frames=1) + b"\x01" * 100,
    "a program behind a frame of AAC": adts(frames=1) + WINDOWS,
    "a page in AAC": adts() + PAGE + adts(),
    "a zip behind AAC": adts() + zipped(x=b"y"),
    "two bytes of MP3": b"\xff\xfb" + bytes(range(1, 200)),
    "one frame of MP3 and nonsense": mpeg_audio(frames=1) + b"\x01" * 100,
    "a program behind a tag": tag() + ELF,
    "a program behind a padded tag": tag() + bytes(100) + WINDOWS,
    "a program behind two tags": tag() + tag() + WINDOWS,
    "a page behind a tag": tag() + PAGE + b"\x00\xff",
    "a page in CAF": core_audio() + b"free" + bytes(8) + PAGE,
    "four letters of CAF": b"caff" + bytes(range(100)),
    "four letters of CAF and a program": b"caff" + WINDOWS,
    "a page in a transport stream": transport_stream() + PAGE,
    "three letters G in the right places": transport_stream(3)[:-1] + b"\x00\x01",
    "a page in a program stream": b"\x00\x00\x01\xba\x44" + PAGE + bytes(40),
    "a page in a piece of an MP4": box(b"styp", b"msdh" + bytes(4)) + box(b"free", PAGE),
    "a page in old QuickTime": box(b"free", PAGE) + box(b"mdat", bytes(8)),
    "a box that is nothing and nothing behind it": box(b"free", bytes(20)) + bytes(range(40)),
    "a script that is said to be AMR": b"#!AMR/bin/sh\nexec\x00\xff" + ELF,
    "Matroska of another kind": b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88whatever" + bytes(64),
    "a raw picture": film(b"crx ", b"crx ", b"isom"),
}


LESSON = b"<body>: the element that holds a page, and why"
TITLED: dict[str, bytes] = {
    "MP3": tag()[:20] + b"\x00" + LESSON.ljust(189, b"\x00") + mpeg_audio(),
    "MP4": film(b"isom", moov=box(b"udta", box(b"\xa9nam", b"\x00\x2e\x15\xc7" + LESSON))),
    "Ogg": RECORDINGS["Ogg with Opus"][0] + b"OpusTags" + b"TITLE=All of <html> explained" + bytes(20),
    "PNG": png(text=LESSON),
}


@pytest.mark.parametrize("kind", TITLED)
def test_a_title_that_mentions_an_html_element_is_accepted(kind: str) -> None:
    assert validate_and_sanitize(SimpleUploadedFile("lesson", TITLED[kind])).size == len(TITLED[kind])


@pytest.mark.parametrize(
    "page",
    [
        b"<body onload=alert(1)>",
        b"<html><img src=x>",
        b"<!doctype html><p>Hello</p>",
        b"<head><base href=//evil.example>",
        b"<body/onload =alert(1)>",
    ],
)
def test_a_title_that_contains_html_is_refused(page: bytes) -> None:
    for content in (png(text=page + b"        "), film(b"isom", moov=box(b"udta", page + b"        "))):
        with pytest.raises(Invalid) as error:
            validate_and_sanitize(SimpleUploadedFile("lesson", content))
        assert error.value.fields == {"file": [ACCEPTED]}


@pytest.mark.parametrize("kind", DRESSED)
def test_files_that_only_begin_like_a_recording_are_refused(
    kind: str, creator: MaterialsApi, nothing_left: Callable[[], bool]
) -> None:
    response = creator.add_file("recording.m4a", DRESSED[kind])
    assert response.status_code == 400
    assert response.json() == {"error": f"file: {ACCEPTED}", "fields": {"file": [ACCEPTED]}}
    assert nothing_left()


@pytest.mark.parametrize("brands", [(b"mp42", b"heic"), (b"isom", b"mif1"), (b"mp41", b"avif"), (b"miaf", b"heic")])
def test_a_picture_with_a_video_brand_is_handled_as_a_picture(brands: tuple[bytes, ...]) -> None:
    with pytest.raises(Invalid) as error:
        validate_and_sanitize(SimpleUploadedFile("film", film(brands[0], *brands)))
    assert error.value.fields == {"file": ["This picture cannot be read: it does not say how large it is."]}


def test_the_contract_lists_every_known_type() -> None:
    contract = (Path(__file__).parents[3] / "docs" / "contract.md").read_text()
    named = set(re.findall(r"`((?:audio|video|image|application|text)/[\w.+-]+)`", contract))
    office, open_document = "application/vnd.openxmlformats", "application/vnd.oasis"
    known = {kind for kind in EXTENSIONS if not kind.startswith((office, open_document))}
    assert known <= named


@pytest.mark.parametrize("kind", sorted({content_type for _, content_type in RECORDINGS.values()}))
def test_every_type_has_an_extension_in_the_storage(kind: str) -> None:
    assert generate_name(kind).endswith(f".{EXTENSIONS[kind]}")
