"""Locations in unusual parts of pictures are removed, or the picture is refused."""

import io
import struct
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.test import Client
from PIL import Image
from tests.modules.materials.conftest import MaterialsApi
from tests.modules.materials.hidden_places import CLIP, FORMS, HEIC, HIDDEN, JPEG, REFUSED, segment, with_maker_note
from tests.modules.materials.photos import jpeg_with
from tests.modules.materials.samples import saved
from tests.modules.materials.test_pictures import CANNOT_BE_REMOVED, opened

from core.errors import Invalid
from modules.materials.pictures import remove_location
from modules.materials.uploads import validate_and_sanitize


def told(content: bytes) -> list[bytes]:
    return [form for form in FORMS if form in content]


def inspected(content: bytes) -> bytes:
    """The sanitized bytes."""
    file = SimpleUploadedFile("picture", content)
    validate_and_sanitize(file)
    file.seek(0)
    return file.read()


@pytest.mark.parametrize("kind", HIDDEN)
def test_served_pictures_contain_no_location(kind: str, creator: MaterialsApi) -> None:
    assert told(HIDDEN[kind]), "the sample says nothing"
    response = creator.add_file("holiday", HIDDEN[kind])
    assert response.status_code == 201, response.json()
    served = Client().get(response.json()["file"]).getvalue()
    assert told(served) == []
    assert len(served) == len(HIDDEN[kind])


@pytest.mark.parametrize("kind", sorted({*HIDDEN} - {"clip behind a jpg that does not end", "clip behind a jp2"}))
def test_the_pixels_do_not_change(kind: str) -> None:
    before, after = opened(HIDDEN[kind]), opened(inspected(HIDDEN[kind]))
    assert (before.size, before.mode, before.convert("RGB").tobytes()) == (
        after.size,
        after.mode,
        after.convert("RGB").tobytes(),
    )


@pytest.mark.parametrize("kind", HIDDEN)
def test_removing_the_location_is_idempotent(kind: str) -> None:
    once = inspected(HIDDEN[kind])
    assert inspected(once) == once


@pytest.mark.parametrize("kind", REFUSED)
def test_ambiguous_metadata_is_refused(kind: str) -> None:
    with pytest.raises(Invalid) as error:
        validate_and_sanitize(SimpleUploadedFile("picture", REFUSED[kind]))
    assert error.value.fields == {"file": [CANNOT_BE_REMOVED]}


def test_the_second_picture_of_a_file_is_kept() -> None:
    after = Image.open(io.BytesIO(inspected(HIDDEN["second picture of a jpg"])))
    assert getattr(after, "n_frames", 1) == 2
    after.seek(1)
    assert not after.getexif().get_ifd(0x8825)
    assert after.convert("RGB").tobytes() == Image.open(io.BytesIO(saved("JPEG"))).convert("RGB").tobytes()


def test_an_hdr_picture_after_the_first_is_kept_and_data_after_it_cleared() -> None:
    after = inspected(HIDDEN["clip behind a jpg and a brighter one"])
    assert after == JPEG + JPEG + bytes(len(CLIP))


def test_data_that_resembles_a_picture_after_the_first_is_cleared() -> None:
    looks_like_one = b"\xff\xd8\xff\xe1\x00\x10" + b"x" * 14 + b"\xff\xd9"
    assert inspected(JPEG + looks_like_one) == JPEG + bytes(len(looks_like_one))


def test_maker_notes_without_a_location_are_kept() -> None:
    content = jpeg_with(segment(b"Exif\x00\x00" + with_maker_note(b"Apple iOS\x00\x00\x01")))
    assert inspected(content) == content


@pytest.mark.parametrize(
    "segment_of",
    [
        b"\xff\xe2\x00\x16ICC_PROFILE\x00\x01\x01abcdef",
        b"\xff\xe2\x00\x26urn:iso:std:iso:ts:21496:-1\x00abcdefgh",
        b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00",
        b"\xff\xfe\x00\x08Hello!",
        b"\xff\xed\x00\x2aPhotoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x0d\x1c\x02\x5a\x00\x06Berlin\x00\x00",
    ],
    ids=["colours", "brightness", "more colours", "comment", "city that somebody typed"],
)  # fmt: skip
def test_metadata_without_a_location_is_kept(segment_of: bytes) -> None:
    content = jpeg_with(segment_of)
    assert inspected(content) == content


def test_a_long_appended_video_is_never_loaded_into_memory(settings: Any) -> None:
    import tracemalloc

    content = JPEG + CLIP + bytes(range(256)) * 80_000
    file = TemporaryUploadedFile("moving.jpg", "image/jpeg", len(content), None)
    file.write(content)
    tracemalloc.start()
    validate_and_sanitize(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    file.seek(0)
    assert file.read() == JPEG + bytes(len(content) - len(JPEG))
    file.close()
    assert peak < 3_000_000


@pytest.mark.parametrize(
    ("hostile", "kind"),
    [
        (JPEG + b"\xff\xd8\xff\xe0" * 400_000, "image/jpeg"),
        (JPEG + b"\xff\xd8\xff\xe1\x00\x04ab" * 200_000, "image/jpeg"),
        (HEIC + b"\x00\x00\x00\x08mdat" * 21_000, "image/heic"),
    ],
    ids=["beginnings", "beginnings that go on", "boxes"],
)
def test_files_made_to_be_slow_are_refused_quickly(hostile: bytes, kind: str) -> None:
    with pytest.raises(Invalid) as error:
        remove_location(io.BytesIO(hostile), kind)
    assert error.value.fields == {"file": ["This picture cannot be read: it has too many parts."]}


def test_the_location_of_a_video_is_kept(creator: MaterialsApi, stored: Callable[[], list[bytes]]) -> None:
    assert creator.add_file("holiday.mp4", CLIP).status_code == 201
    assert stored() == [CLIP]


def test_maker_notes_that_overlap_other_data_are_refused() -> None:
    raw = with_maker_note()
    at = raw.index(struct.pack("<HHI", 0x927C, 7, 45)) + 8
    raw = raw[:at] + struct.pack("<I", 8) + raw[at + 4 :]
    with pytest.raises(Invalid) as error:
        validate_and_sanitize(SimpleUploadedFile("picture", jpeg_with(segment(b"Exif\x00\x00" + raw))))
    assert error.value.fields == {"file": [CANNOT_BE_REMOVED]}
