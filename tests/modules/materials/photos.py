"""Photos that say where they were taken, made here; nobody was ever there."""

import io
import struct
import zlib
from typing import Any

import pillow_heif
from PIL import Image
from tests.modules.materials.samples import photoshop, picture, saved

from modules.materials.pictures import remove_location

ORIENTATION, MAKER, LOCATION = 0x0112, 0x010F, 0x8825
TURNED = 6
LATITUDE = b'exif:GPSLatitude="52,30.25N"'
XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    b' xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" ' + LATITUDE + b">"
    b"<exif:GPSLongitude>13,24.5E</exif:GPSLongitude><exif:GPSVersionID/><tiff:Make>Camera</tiff:Make>"
    b'</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def exif(*, place: bool = True) -> Image.Exif:
    """Turned by a quarter, taken with a camera, and in the place if so wished."""
    values = Image.Exif()
    values[ORIENTATION] = TURNED
    values[MAKER] = "A camera of a long name"
    if place:
        location = values.get_ifd(LOCATION)
        location.update({1: "N", 2: (52.0, 30.0, 15.25), 3: "E", 4: (13.0, 24.0, 30.5), 29: "2024:01:12"})
    return values


def raw_exif(*, place: bool = True) -> bytes:
    """From the header of the TIFF on."""
    return exif(place=place).tobytes().removeprefix(b"Exif\x00\x00")


def tiff_entry(tag: int, kind: int, count: int, value: int) -> bytes:
    return struct.pack("<HHII", tag, kind, count, value)


def directory(*entries: bytes, following: int = 0) -> bytes:
    return struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", following)


def tiff_photo(*, location_at: int | None = None, more: bytes = b"", pixels: bytes = bytes(12)) -> bytes:
    """Two by two pixels behind the directory of the page, then that of the location, with a latitude behind it."""
    pixels_at = 8 + 2 + 12 * 10 + 4
    place_at = pixels_at + len(pixels)
    values_at = place_at + 2 + 12 * 2 + 4
    page = directory(
        *(tiff_entry(tag, 4, 1, value) for tag, value in ((256, 2), (257, 2))),
        tiff_entry(258, 3, 1, 8),
        *(tiff_entry(tag, 3, 1, value) for tag, value in ((259, 1), (262, 2))),
        tiff_entry(273, 4, 1, pixels_at),
        *(tiff_entry(tag, 3, 1, value) for tag, value in ((274, TURNED), (277, 3))),
        tiff_entry(279, 4, 1, 12),
        tiff_entry(LOCATION, 4, 1, place_at if location_at is None else location_at),
    )
    place = directory(tiff_entry(1, 2, 2, ord("N")), tiff_entry(2, 5, 3, values_at))
    latitude = struct.pack("<6I", 52, 1, 30, 1, 61, 4)
    return b"II*\x00" + struct.pack("<I", 8) + page + pixels + place + latitude + more


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(*chunks: bytes) -> bytes:
    """A picture with chunks put behind its header."""
    whole = saved("PNG")
    return whole[:33] + b"".join(chunks) + whole[33:]


def in_digits(raw: bytes) -> bytes:
    """As ImageMagick writes EXIF into the texts of a PNG."""
    digits = raw.hex()
    lines = "\n".join(digits[start : start + 72] for start in range(0, len(digits), 72))
    return f"\nexif\n{len(raw):8}\n{lines}\n".encode()


def segment(data: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data


def jpeg_with(*segments: bytes) -> bytes:
    """A picture with segments put in front."""
    whole = saved("JPEG")
    return whole[:2] + b"".join(segments) + whole[2:]


def webp_with(kind: bytes, data: bytes) -> bytes:
    whole = saved("WEBP", exif=exif(place=False))
    more = kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(whole) - 8 + len(more)) + whole[8:] + more


def resource(number: int, data: bytes) -> bytes:
    return b"8BIM" + struct.pack(">HHI", number, 0, len(data)) + data + bytes(len(data) % 2)


def box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(data), kind) + data


def heic_photo(**options: Any) -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(picture(64, 64)).save(buffer, **options)
    return buffer.getvalue()


def heif_of(*kinds: bytes, data: bytes) -> bytes:
    """A file whose items all lie in the same place, behind the first four bytes of `data`."""
    entries = b"".join(
        box(b"infe", struct.pack(">BxxxHH4sx", 2, number, 0, kind)) for number, kind in enumerate(kinds, start=1)
    )
    places = b"".join(struct.pack(">HHHHII", number, 1, 0, 1, 0, len(data)) for number, _ in enumerate(kinds, start=1))
    lists = box(b"iinf", struct.pack(">IH", 0, len(kinds)) + entries)
    lists += box(b"iloc", struct.pack(">BxxxBBH", 1, 0x44, 0, len(kinds)) + places)
    lists += box(b"iprp", box(b"ipco", box(b"ispe", struct.pack(">III", 0, 64, 64))))
    header = box(b"ftyp", b"heic\x00\x00\x00\x00mif1heic")
    return header + box(b"meta", bytes(4) + lists + box(b"idat", data))


PHOTOS: dict[str, tuple[bytes, str]] = {
    "jpg": (saved("JPEG", exif=exif()), "image/jpeg"),
    "jpg with XMP": (saved("JPEG", exif=exif(place=False), xmp=XMP), "image/jpeg"),
    "jpg with XMP that goes on": (
        jpeg_with(
            segment(b"http://ns.adobe.com/xmp/extension/\x00" + bytes(40) + XMP[:300]),
            segment(b"http://ns.adobe.com/xmp/extension/\x00" + bytes(40) + XMP[300:]),
            segment(b"Exif\x00\x00" + raw_exif(place=False)),
        ),
        "image/jpeg",
    ),
    "jpg with EXIF twice": (
        jpeg_with(segment(b"Exif\x00\x00" + raw_exif(place=False)), segment(b"Exif\x00\x00" + raw_exif())),
        "image/jpeg",
    ),
    "jpg with EXIF that goes on": (
        jpeg_with(segment(b"Exif\x00\x00" + raw_exif()[:150]), segment(b"Exif\x00\x00" + raw_exif()[150:])),
        "image/jpeg",
    ),
    "jpg of several": (saved("MPO", pages=2, exif=exif()), "image/jpeg"),
    "png": (saved("PNG", exif=exif()), "image/png"),
    "png with XMP": (
        png_with(chunk(b"eXIf", raw_exif(place=False)), chunk(b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + XMP)),
        "image/png",
    ),
    "png with packed XMP": (
        png_with(
            chunk(b"eXIf", raw_exif(place=False)),
            chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x01\x00\x00\x00" + zlib.compress(XMP)),
        ),
        "image/png",
    ),
    "png with EXIF in digits": (
        png_with(
            chunk(b"eXIf", raw_exif(place=False)),
            chunk(b"tEXt", b"Raw profile type exif\x00" + in_digits(b"Exif\x00\x00" + raw_exif())),
        ),
        "image/png",
    ),
    "png with EXIF in packed digits": (
        png_with(
            chunk(b"eXIf", raw_exif(place=False)),
            chunk(b"zTXt", b"Raw profile type APP1\x00\x00" + zlib.compress(in_digits(raw_exif()))),
        ),
        "image/png",
    ),
    "webp": (saved("WEBP", exif=exif()), "image/webp"),
    "webp with XMP": (saved("WEBP", exif=exif(place=False), xmp=XMP), "image/webp"),
    "webp that moves": (saved("WEBP", pages=2, exif=exif()), "image/webp"),
    "avif": (saved("AVIF", exif=exif()), "image/avif"),
    "avif with XMP": (saved("AVIF", exif=exif(place=False), xmp=XMP), "image/avif"),
    "heic": (heic_photo(exif=exif().tobytes()), "image/heic"),
    "heic with XMP": (heic_photo(exif=exif(place=False).tobytes(), xmp=XMP), "image/heic"),
    "heif": (heic_photo(exif=exif().tobytes()).replace(b"ftypheic", b"ftypmif1"), "image/heif"),
    "tiff": (tiff_photo(), "image/tiff"),
    "psd": (photoshop(resources=resource(1058, raw_exif())), "image/vnd.adobe.photoshop"),
    "psd with XMP": (photoshop(resources=resource(1060, XMP)), "image/vnd.adobe.photoshop"),
    "jp2": (saved("JPEG2000") + box(b"uuid", b"JpgTiffExif->JP2" + raw_exif()), "image/jp2"),
    "jp2 with XMP": (
        saved("JPEG2000") + box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + XMP),
        "image/jp2",
    ),
}


def cleared(content: bytes, content_type: str) -> bytes:
    """What is left of a photo that says where it was taken."""
    file = io.BytesIO(content)
    assert remove_location(file, content_type)
    return file.getvalue()
