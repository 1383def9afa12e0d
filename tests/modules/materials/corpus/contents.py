"""The bytes of hostile files that take more than a line to make."""

import gzip
import struct
import zipfile
import zlib
from collections.abc import Callable

from tests.modules.materials import photos
from tests.modules.materials.photos import chunk, directory, png_with, segment, tiff_entry
from tests.modules.materials.samples import GIF, PAGE, bitmap, office, riff, saved, zipped, zipped_parts


def disc_image(beginning: bytes = b"") -> bytes:
    return beginning.ljust(16 * 2048, b"\x00") + b"\x01CD001\x01" + bytes(2041)


def nested_zip() -> bytes:
    """A hundred million times a million zeros: eight archives, each of them ten times in the next."""
    content = zipped_parts([("zeros", bytes(1_000_000))], zipfile.ZIP_DEFLATED)
    for depth in range(8):
        content = zipped_parts([(f"{depth}-{number}.zip", content) for number in range(10)], zipfile.ZIP_DEFLATED)
    return content


def overlapping_zip() -> bytes:
    """A thousand parts that are all the same bytes."""
    data = zlib.compress(bytes(1_000_000))[2:-4]
    first = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 8, 0, 33, 0, len(data), 1_000_000, 1, 0) + b"x" + data
    entry = b"PK\x01\x02" + struct.pack(
        "<HHHHHHIIIHHHHHII", 20, 20, 0, 8, 0, 33, 0, len(data), 1_000_000, 1, 0, 0, 0, 0, 0, 0
    )
    entries = (entry + b"x") * 1000
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1000, 1000, len(entries), len(first), 0)
    return first + entries + end


def zip_of_lies() -> bytes:
    """Says of its part that it is four gigabytes long."""
    content = bytearray(zipped(x=b"y"))
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = b"\xfe\xff\xff\xff"
    return bytes(content)


def gzip_bomb() -> bytes:
    return gzip.compress(bytes(20_000_000), mtime=0)


def word_with_an_object() -> bytes:
    return office(more=("word/embeddings/oleObject1.bin",))


def icon_of_a_large_picture() -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0))
    inside = b"\x89PNG\r\n\x1a\n" + header
    return b"\x00\x00\x01\x00\x01\x00" + struct.pack("<BBBBHHII", 1, 1, 0, 0, 1, 32, len(inside), 22) + inside


def large_png() -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def large_gif(frames: int) -> bytes:
    """Ten thousand pixels a side, frame after frame of a single one."""
    frame = b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", 10_000, 10_000, 0, 0, 0) + frame * frames + b";"


def large_tiff() -> bytes:
    page = directory(tiff_entry(256, 4, 1, 30_000), tiff_entry(257, 4, 1, 30_000))
    return b"II*\x00\x08\x00\x00\x00" + page


def gif_with(comment: bytes) -> bytes:
    parts = b"".join(
        bytes([len(comment[at : at + 255])]) + comment[at : at + 255] for at in range(0, len(comment), 255)
    )
    return GIF[:19] + b"!\xfe" + parts + b"\x00" + GIF[19:]


def jpeg_with_comment(comment: bytes, *, behind: int = 0) -> bytes:
    whole = saved("JPEG")
    filler = (b"\xff\xfe" + struct.pack(">H", 60_002) + bytes(60_000)) * behind
    return whole[:2] + filler + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + whole[2:]


def jpeg_that_is_a_script() -> bytes:
    whole = saved("JPEG")
    return whole[:2] + b"\xff\xe0\x2f\x2a" + bytes(12_072) + whole[20:] + b"*/=1;alert(document.domain)//"


def gif_that_is_a_script() -> bytes:
    return b"GIF89a/*\x01\x00" + GIF[10:] + b"*/=1;alert(document.domain);"


def bitmap_that_is_a_script() -> bytes:
    return b"BM/*\x00\x00" + bitmap()[6:] + b"\x00*/=1;alert(document.domain);"


def sound_that_is_a_script() -> bytes:
    return b"RIFF/*\x00\x00" + riff(b"WAVE")[8:] + b"\x00*/=1;alert(document.domain);"


def exif_of_many_directories() -> bytes:
    chain = b"".join(struct.pack("<HI", 0, 8 + 6 * number) for number in range(1, 5000))
    return png_with(chunk(b"eXIf", b"II*\x00\x08\x00\x00\x00" + chain))


def exif(raw: bytes) -> bytes:
    return photos.jpeg_with(segment(b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + raw))


class Runs:
    """What a pickle runs where somebody opens it."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return print, ("hello",)


LOOP = exif(directory(tiff_entry(0x8769, 4, 1, 8), following=8))
BEYOND = exif(directory(tiff_entry(0x8825, 4, 1, 0xFFFFFFF0), tiff_entry(0x010F, 2, 0xFFFFFFFF, 0x7FFFFFFF)))
LETTER = (
    b"From: <Saved by a browser>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n\tboundary=x\r\n\r\n"
    + PAGE
)
LAUGHS = (
    b'<?xml version="1.0"?>\n<!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(f'<!ENTITY {chr(number + 1)} "{f"&{chr(number)};" * 10}">'.encode() for number in range(97, 107))
    + b"]>\n<l>&k;</l>\n"
)
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
CANNOT_BE_REMOVED = (
    "This picture says where it was taken in a way that cannot be removed. Save it without its location."
)
MANY_PIXELS = "This picture has more than 6,000 million pixels in all its frames or pages, which is the most accepted."
