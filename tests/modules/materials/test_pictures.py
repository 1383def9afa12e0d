"""The limit of pixels, and the removal of locations from pictures."""

import hashlib
import io
import struct
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from typing import Any

import pillow_heif
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from PIL import Image
from tests.modules.materials import photos
from tests.modules.materials.conftest import MaterialsApi
from tests.modules.materials.photos import (
    PHOTOS,
    XMP,
    chunk,
    directory,
    heif_of,
    png_with,
    segment,
    tiff_entry,
    tiff_photo,
)
from tests.modules.materials.samples import ACCEPTED, heic, photoshop, picture, saved

from core.errors import Invalid
from modules.materials.models import StoredFile
from modules.materials.pictures import check_pixels, remove_location
from modules.materials.uploads import validate_and_sanitize

PICTURES = {kind: sample for kind, sample in ACCEPTED.items() if sample[1].startswith("image/")}
CANNOT_BE_REMOVED = (
    "This picture says where it was taken in a way that cannot be removed. Save it without its location."
)


def opened(content: bytes) -> Image.Image:
    """As Pillow reads it, or the library for HEIC, which Pillow does not."""
    if content[4:12] in {b"ftypheic", b"ftypmif1"}:
        return pillow_heif.open_heif(io.BytesIO(content), convert_hdr_to_8bit=False)[0].to_pillow()
    return Image.open(io.BytesIO(content))


def refusal(content: bytes) -> str:
    """The error with which a file is refused."""
    with pytest.raises(Invalid) as raised:
        validate_and_sanitize(SimpleUploadedFile("picture", content))
    [sentence] = raised.value.fields["file"]
    return sentence


def without_location(content: bytes, content_type: str) -> bytes:
    file = io.BytesIO(content)
    assert remove_location(file, content_type)
    return file.getvalue()


# --- Pixels -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PICTURES)
def test_pixels_are_counted_like_a_library_does(kind: str, settings: Any) -> None:
    content, content_type = PICTURES[kind]
    width, height = (64, 64) if "hei" in kind else (1, 1) if kind in {"png", "gif", "bmp"} else (16, 12)
    assert opened(content).size == (width, height)
    settings.MATERIALS_MAX_PIXELS = width * height
    check_pixels(io.BytesIO(content), content_type)
    settings.MATERIALS_MAX_PIXELS = width * height - 1
    expected = f"This picture has {width} by {height} pixels. At most {width * height - 1:,} are accepted."
    assert refusal(content) == expected


def test_a_decompression_bomb_is_refused() -> None:
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")
    assert refusal(content) == "This picture has 30,000 by 30,000 pixels. At most 120 million are accepted."


BIG = struct.pack(">II", 30_000, 30_000)
BIG_PNG = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", BIG + b"\x08\x00\x00\x00\x00")


def icon_of(inside: bytes) -> bytes:
    """An icon whose directory states one pixel."""
    return b"\x00\x00\x01\x00\x01\x00" + struct.pack("<BBBBHHII", 1, 1, 0, 0, 1, 32, len(inside), 22) + inside


def with_last(content: bytes, before: bytes, after: bytes) -> bytes:
    """The content with what follows the last occurrence of some bytes replaced by others."""
    at = content.rindex(before) + len(before)
    return content[:at] + after + content[at + len(after) :]


def tiff_with_a_huge_page() -> bytes:
    side = struct.pack("<I", 30_000)
    wide = with_last(saved("TIFF", pages=2), struct.pack("<HHI", 256, 4, 1), side)
    return with_last(wide, struct.pack("<HHI", 257, 4, 1), side)


@pytest.mark.parametrize(
    "content",
    [
        icon_of(BIG_PNG),
        icon_of(struct.pack("<IiiHH", 40, 30_000, 60_000, 1, 32) + bytes(24)),
        b"GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00"
        + struct.pack("<HH", 30_000, 30_000)
        + b"\x00\x02\x01D\x00;",
        saved("JPEG") + with_last(saved("JPEG"), b"\xff\xc0\x00\x11\x08", struct.pack(">HH", 30_000, 30_000)),
        tiff_with_a_huge_page(),
        heif_of(b"grid", data=b"\x00\x01\x00\x00" + BIG),
        with_last(saved("JPEG2000"), b"\xff\x4f\xff\x51\x00\x2f\x00\x00", BIG),
        with_last(saved("JPEG2000"), b"ihdr", BIG),
        with_last(saved("AVIF"), b"ispe\x00\x00\x00\x00", BIG),
        photoshop(30_000, 30_000),
    ],
    ids=[
        "icon with a picture inside",
        "icon with a bitmap inside",
        "gif with a frame beyond its canvas",
        "jpg of several",
        "tiff of several pages",
        "heic put together from others",
        "jp2 whose pixels say otherwise",
        "jp2 whose header says otherwise",
        "avif",
        "psd",
    ],
)
def test_the_largest_stated_size_counts(content: bytes) -> None:
    assert refusal(content) == "This picture has 30,000 by 30,000 pixels. At most 120 million are accepted."


def test_a_picture_larger_than_its_canvas_counts() -> None:
    content = with_last(saved("WEBP", exif=photos.exif()), b"\x9d\x01\x2a", b"\xff\x3f\xff\x3f")
    assert refusal(content) == "This picture has 16,383 by 16,383 pixels. At most 120 million are accepted."


@pytest.mark.parametrize("kind", ["gif that moves", "png that moves", "webp that moves", "avif that moves"])
def test_an_animation_may_have_fifty_times_the_pixels_of_a_picture(kind: str, settings: Any, monkeypatch: Any) -> None:
    content, _ = PICTURES[kind]
    settings.MATERIALS_MAX_PIXELS = 16 * 12
    monkeypatch.setattr("modules.materials.pictures.MAX_FULL_FRAMES", 2)
    sentence = "This picture has more than 384 pixels in all its frames or pages, which is the most accepted."
    assert refusal(content) == sentence


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", b"x" * 16), "it does not say how large it is"),
        (b"\x89PNG\r\n\x1a\n\x7f\xff\xff\xffIHDR" + bytes(20), "it ends too early"),
        (saved("PNG")[:-20], "it ends too early"),
        (png_with(b"\xff\xff\xff\xfftEXt" + bytes(20)), "it ends too early"),
        (png_with(*[chunk(b"teXt", b"")] * 500_001), "it has too many parts"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(12) + b"\xff\xd9", "it does not say how large it is"),
        (b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x00\x00\x10\x01\x01\x11\x00\xff\xd9", "it has no pixels"),
        (b"GIF89a" + bytes(7) + b";", "it does not say how large it is"),
        (saved("GIF")[:-9], "it ends too early"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00\x99", "there is something in it that is no part of it"),
        (saved("WEBP")[:-40], "it ends too early"),
        (b"II*\x00\xff\xff\xff\xff" + bytes(20), "it does not say how large it is"),
        (b"II*\x00\x08\x00\x00\x00" + directory(following=8), "it does not say how large it is"),
        (saved("ICO", sizes=[(16, 12)])[:30], "it ends too early"),
        (b"8BPS\x00\x01" + bytes(8), "it ends too early"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(4) + b"mif1heic", "it does not say how large it is"),
        (heic()[:-100], "it ends too early"),
        (heic().replace(b"ispe", b"isqe"), "it does not say how large it is"),
        (saved("AVIF").replace(b"meta", b"mata"), "it does not say how large it is"),
    ],
)
def test_a_malformed_picture_is_refused(content: bytes, reason: str) -> None:
    assert refusal(content) == f"This picture cannot be read: {reason}."


def test_a_large_picture_is_never_loaded_into_memory() -> None:
    content = png_with(chunk(b"teXt", bytes(20_000_000)))
    file = TemporaryUploadedFile("large.png", "image/png", len(content), None)
    file.write(content)
    tracemalloc.start()
    validate_and_sanitize(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    file.close()
    assert peak < 3_000_000


# --- Location ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PHOTOS)
def test_the_location_of_a_photo_is_removed(kind: str) -> None:
    content, content_type = PHOTOS[kind]
    after = without_location(content, content_type)
    assert len(after) == len(content)
    assert b"GPSL" not in after
    assert not opened(after).getexif().get_ifd(photos.LOCATION)
    assert struct.pack(">II", 61, 4) not in after
    assert not remove_location(io.BytesIO(after), content_type)


@pytest.mark.parametrize("kind", PHOTOS)
def test_removing_the_location_does_not_change_pixels(kind: str) -> None:
    content, content_type = PHOTOS[kind]
    before, after = opened(content), opened(without_location(content, content_type))
    assert before.tobytes() == after.tobytes()
    assert getattr(before, "n_frames", 1) == getattr(after, "n_frames", 1)


@pytest.mark.parametrize("kind", [kind for kind in PHOTOS if not kind.startswith(("hei", "psd", "jp2"))])
def test_orientation_and_camera_are_kept(kind: str) -> None:
    content, content_type = PHOTOS[kind]
    before, after = (opened(each).getexif() for each in (content, without_location(content, content_type)))
    assert after[photos.ORIENTATION] == photos.TURNED
    assert after.get(photos.MAKER) == before.get(photos.MAKER)


def test_other_metadata_is_kept() -> None:
    after = without_location(*PHOTOS["jpg with XMP"])
    assert b"<tiff:Make>Camera</tiff:Make>" in after
    assert b"GPS" not in after
    assert len(opened(after).info["xmp"]) == len(XMP)


@pytest.mark.parametrize("kind", [kind for kind in PHOTOS if kind.startswith("png")])
def test_png_checksums_are_updated(kind: str) -> None:
    after = without_location(*PHOTOS[kind])
    position = 8
    while position < len(after):
        length = int.from_bytes(after[position : position + 4], "big")
        checksum = struct.pack(">I", zlib.crc32(after[position + 4 : position + 8 + length]))
        assert after[position + 8 + length : position + 12 + length] == checksum
        position += 12 + length


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_without_a_location_does_not_change(kind: str) -> None:
    content, content_type = PICTURES[kind]
    file = io.BytesIO(content)
    assert not remove_location(file, content_type)
    assert file.getvalue() == content


@pytest.mark.parametrize(
    "packet",
    [
        XMP.decode().encode("utf-16"),
        XMP.decode().encode("utf-32-be"),
        XMP.replace(b'"52,30.25N"', b'"52,30.25N<"'),
        XMP.replace(b"exif:GPSLongitude>13", b"exif:GPSLongitude><b>x</b>13"),
        b"x" * 2_000_000 + XMP,
    ],
)
def test_xmp_in_an_unknown_notation_is_cleared_as_a_whole(packet: bytes) -> None:
    content = photos.webp_with(b"XMP ", packet)
    after = without_location(content, "image/webp")
    assert after[:-1].endswith(b" " * (len(packet) - 1))
    assert len(after) == len(content)


def test_drone_specific_properties_are_cleared() -> None:
    packet = b'<a drone-dji:GpsLatitude="+52.5" drone-dji:GpsLongtitude = "+13.4"  drone-dji:Model="x"/>'
    after = without_location(photos.webp_with(b"XMP ", packet), "image/webp")
    assert b"+52.5" not in after
    assert b"+13.4" not in after
    assert b'drone-dji:Model="x"/>' in after


def test_long_compressed_text_is_cleared() -> None:
    bomb = zlib.compress(bytes(5_000_000))
    content = png_with(chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x01\x00\x00\x00" + bomb))
    after = without_location(content, "image/png")
    assert bomb not in after
    assert opened(after).tobytes() == picture().tobytes()


def test_a_location_that_overlaps_pixels_is_refused() -> None:
    place = directory(tiff_entry(1, 2, 2, ord("N"))).ljust(24, b"\x00")
    pixels_at = 8 + 2 + 12 * 10 + 4
    content = tiff_photo(location_at=pixels_at, pixels=place)
    assert refusal(content) == CANNOT_BE_REMOVED


@pytest.mark.parametrize("location_at", [8, 10])
def test_a_location_that_overlaps_a_directory_is_refused(location_at: int) -> None:
    assert refusal(tiff_photo(location_at=location_at)) == CANNOT_BE_REMOVED


@pytest.mark.parametrize("location_at", [0, 100_000, 0xFFFFFFFF])
def test_a_location_outside_of_the_file_is_ignored(location_at: int) -> None:
    content = tiff_photo(location_at=location_at)
    file = io.BytesIO(content)
    assert not remove_location(file, "image/tiff")
    assert file.getvalue() == content


def test_location_values_outside_of_the_file_are_ignored() -> None:
    content = tiff_photo()
    at = content.rindex(struct.pack("<HHI", 2, 5, 3)) + 8
    hostile = content[:at] + b"\xff\xff\xff\xff" + content[at + 4 :]
    after = without_location(hostile, "image/tiff")
    assert opened(after).tobytes() == opened(content).tobytes()


def test_location_values_that_overlap_pixels_are_refused() -> None:
    content = tiff_photo()
    at = content.rindex(struct.pack("<HHI", 2, 5, 3)) + 8
    assert refusal(content[:at] + struct.pack("<I", 8 + 2 + 12 * 10) + content[at + 4 :]) == CANNOT_BE_REMOVED


def test_a_thumbnail_that_overlaps_the_location_is_refused() -> None:
    raw = b"II*\x00" + struct.pack("<I", 8)
    raw += directory(tiff_entry(0x0201, 4, 1, 60), tiff_entry(0x0202, 4, 1, 40), tiff_entry(photos.LOCATION, 4, 1, 60))
    raw = raw.ljust(60, b"\x00") + directory(tiff_entry(1, 2, 2, ord("N"))) + bytes(30)
    assert refusal(photos.jpeg_with(segment(b"Exif\x00\x00" + raw))) == CANNOT_BE_REMOVED


def test_a_heic_item_that_overlaps_pixels_is_refused() -> None:
    data = bytes(4) + photos.raw_exif()
    assert remove_location(io.BytesIO(heif_of(b"Exif", data=data)), "image/heic")
    assert refusal(heif_of(b"hvc1", b"Exif", data=data)) == CANNOT_BE_REMOVED


@pytest.mark.parametrize(
    "raw",
    [
        b"II*\x00\x08\x00\x00\x00" + directory(following=8),
        b"II*\x00\x08\x00\x00\x00" + directory(tiff_entry(0x8769, 4, 1, 8), tiff_entry(0x014A, 4, 2, 8)),
        b"II*\x00\x08\x00\x00\x00\xff\xff" + b"\xff" * 600,
        b"II*\x00\x08\x00\x00\x00" + directory(tiff_entry(0x014A, 4, 0xFFFFFFFF, 0xFFFFFFFF)),
        b"II*\x00\x08\x00\x00\x00" + directory(tiff_entry(photos.LOCATION, 99, 0xFFFFFFFF, 8)),
        b"II*\x00",
        b"",
    ],
)
def test_exif_with_invalid_offsets_is_ignored(raw: bytes) -> None:
    content = photos.jpeg_with(segment(b"Exif\x00\x00" + raw))
    file = io.BytesIO(content)
    assert not remove_location(file, "image/jpeg")
    assert file.getvalue() == content


def test_exif_with_too_many_directories_is_refused() -> None:
    chain = b"".join(struct.pack("<HI", 0, 8 + 6 * number) for number in range(1, 5000))
    content = png_with(chunk(b"eXIf", b"II*\x00\x08\x00\x00\x00" + chain))
    assert refusal(content) == "This picture cannot be read: it has too many parts."


def test_a_picture_that_exceeds_the_budget_is_refused() -> None:
    entries = [tiff_entry(0x014A, 4, 1, 8 + 12 * number) for number in range(5000)]
    exif = chunk(b"eXIf", b"II*\x00\x08\x00\x00\x00" + directory(*entries))
    assert refusal(png_with(*[exif] * 100)) == "This picture cannot be read: it has too many parts."


def test_pixels_that_resemble_a_location_do_not_change() -> None:
    pixels = b"Exif\x00\x00" + photos.raw_exif() + XMP
    content = png_with(chunk(b"IDAT", pixels))
    file = io.BytesIO(content)
    assert not remove_location(file, "image/png")
    assert file.getvalue() == content


# --- On its way in ----------------------------------------------------------------------------------------------


def test_a_photo_is_stored_without_its_location(creator: MaterialsApi, stored: Callable[[], list[bytes]]) -> None:
    content, content_type = PHOTOS["jpg"]
    assert creator.add_file("holiday.jpg", content).status_code == 201
    [kept] = stored()
    assert kept == without_location(content, content_type)


def test_size_and_hash_are_those_of_the_sanitized_file(
    creator: MaterialsApi, stored: Callable[[], list[bytes]]
) -> None:
    creator.add_file("holiday.jpg", PHOTOS["jpg"][0])
    file = StoredFile.objects.get()
    [kept] = stored()
    assert (file.size, file.sha256) == (len(kept), hashlib.sha256(kept).hexdigest())


def test_a_photo_in_a_temporary_file_loses_its_location_too(
    creator: MaterialsApi, stored: Callable[[], list[bytes]], settings: Any
) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 0
    content, content_type = PHOTOS["heic"]
    assert creator.add_file("holiday.heic", content).status_code == 201
    assert stored() == [without_location(content, content_type)]


def test_validating_pictures_raises_no_warnings() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for content, _ in PICTURES.values():
            validate_and_sanitize(SimpleUploadedFile("picture", content))
    assert caught == []
