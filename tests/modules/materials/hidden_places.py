"""Pictures that say in the least expected part of the file where they were taken, made here; nobody was ever there."""

import base64
import io
import struct

from PIL import Image
from tests.modules.materials.photos import (
    chunk,
    directory,
    exif,
    heic_photo,
    in_digits,
    jpeg_with,
    png_with,
    raw_exif,
    resource,
    segment,
    tiff_entry,
    tiff_photo,
    webp_with,
)
from tests.modules.materials.recordings import box
from tests.modules.materials.samples import GIF, bitmap, photoshop, saved

# The latitude and the longitude, as text and as numbers of every kind that is used below.
TEXT = b"+52.5043+013.4085/"
FIXED = struct.pack(">ii", int(13.4085 * 65536), int(52.5043 * 65536))
SECONDS = struct.pack(">II", 61, 4), struct.pack("<II", 61, 4)
DOUBLE = struct.pack("<d", 13.4085)
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a exif:GPSLatitude="52,30.2580N" exif:Make="x"/></x:xmpmeta>'
WRITTEN = (TEXT, b"52.5043", b"52,30.2580N", b"Alexanderplatz", FIXED, *SECONDS, DOUBLE)
FORMS = (
    *WRITTEN,
    *(form.decode().encode(encoding) for form in WRITTEN[:4] for encoding in ("utf-16-le", "utf-16-be")),
    *(form.hex().encode() for form in SECONDS),
    base64.b64encode(b"Exif\x00\x00" + raw_exif())[4:40],
)

# --- Clips ------------------------------------------------------------------------------------------------------

FILE_TYPE = box(b"ftyp", b"mp42\x00\x00\x00\x00isommp42")
PIXELS = box(b"mdat", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 20)
ANDROID = box(b"moov", box(b"mvhd", bytes(100)) + box(b"udta", box(b"\xa9xyz", struct.pack(">HH", 18, 0x15C7) + TEXT)))
PLACE_OF_3GP = box(b"loci", bytes(4) + b"\x15\xc7Alexanderplatz\x00\x01" + FIXED + bytes(4) + b"earth\x00\x00")
OF_3GP = box(b"moov", box(b"mvhd", bytes(100)) + box(b"udta", PLACE_OF_3GP))


def of_apple() -> bytes:
    name = b"com.apple.quicktime.location.ISO6709"
    keys = box(b"keys", bytes(4) + struct.pack(">I", 1) + struct.pack(">I4s", 8 + len(name), b"mdta") + name)
    value = box(b"ilst", box(b"\x00\x00\x00\x01", box(b"data", struct.pack(">II", 1, 0) + TEXT)))
    return box(b"moov", box(b"mvhd", bytes(100)) + box(b"meta", keys + value))


CLIPS = {
    "of Android": FILE_TYPE + PIXELS + ANDROID,
    "of Android, made for streaming": FILE_TYPE + ANDROID + PIXELS,
    "of Apple": box(b"ftyp", b"qt  \x00\x00\x00\x00qt  ") + box(b"wide") + PIXELS + of_apple(),
    "of an old phone": box(b"ftyp", b"3gp4\x00\x00\x02\x003gp4isom") + OF_3GP + PIXELS,
}
CLIP = CLIPS["of Android"]
SAMSUNG = (
    struct.pack("<HHI", 0, 0x0A30, 16) + b"MotionPhoto_Data" + CLIP
    + b"SEFH" + struct.pack("<IIHHII", 106, 1, 0, 0x0A30, len(CLIP) + 24, len(CLIP) + 24)
    + struct.pack("<I", 24) + b"SEFT"
)  # fmt: skip

# --- Pictures ---------------------------------------------------------------------------------------------------

JPEG, PNG, WEBP = saved("JPEG"), saved("PNG"), saved("WEBP")
HEIC, AVIF, JP2 = heic_photo(), saved("AVIF"), saved("JPEG2000")
PHOTO = saved("JPEG", exif=exif())


def with_thumbnail() -> bytes:
    """A TIFF without a place whose small picture has one."""
    first = 8 + 2 + 12 + 4
    second = first + 2 + 24 + 4
    page = directory(tiff_entry(0x0112, 3, 1, 1), following=first)
    small = directory(tiff_entry(0x0201, 4, 1, second), tiff_entry(0x0202, 4, 1, len(PHOTO)))
    return b"II*\x00" + struct.pack("<I", 8) + page + small + PHOTO


def with_maker_note(maker: bytes = b"Panasonic\x00\x00\x00") -> bytes:
    note = maker + b"Alexanderplatz " + TEXT
    inner = 8 + 2 + 12 + 4
    main = directory(tiff_entry(0x8769, 4, 1, inner))
    inside = directory(tiff_entry(0x927C, 7, len(note), inner + 2 + 12 + 4))
    return b"II*\x00" + struct.pack("<I", 8) + main + inside + note


def application(number: int, data: bytes) -> bytes:
    return bytes([0xFF, 0xE0 + number]) + struct.pack(">H", len(data) + 2) + data


def more_of_packet(data: bytes) -> bytes:
    return segment(b"http://ns.adobe.com/xmp/extension/\x00" + bytes(40) + data)


def gif_with(extension: bytes) -> bytes:
    """Put behind the colours."""
    return GIF[:19] + extension + GIF[19:]


def tiff_with(tag: int, kind: int, count: int, value: bytes) -> bytes:
    """A page of two by two pixels, and another with one entry."""
    photo = tiff_photo(location_at=0xFFFFFFFF)
    at = len(photo)
    # The page's list ends with where the next directory is.
    following = 8 + 2 + 12 * 10
    photo = photo[:following] + struct.pack("<I", at) + photo[following + 4 :]
    photo = photo.replace(struct.pack("<6I", 52, 1, 30, 1, 61, 4), bytes(24))
    return photo + directory(tiff_entry(tag, kind, count, at + 2 + 12 + 4)) + value


def tiff_with_preview() -> bytes:
    photo = tiff_photo(location_at=0xFFFFFFFF).replace(struct.pack("<6I", 52, 1, 30, 1, 61, 4), bytes(24))
    at, following = len(photo), 8 + 2 + 12 * 10
    photo = photo[:following] + struct.pack("<I", at) + photo[following + 4 :]
    small = directory(tiff_entry(0x0201, 4, 1, at + 30), tiff_entry(0x0202, 4, 1, len(PHOTO)))
    return photo + small + PHOTO


def mpo() -> bytes:
    """Two pictures, of which the second says where."""
    second = Image.open(io.BytesIO(saved("JPEG", exif=exif())))
    buffer = io.BytesIO()
    Image.open(io.BytesIO(JPEG)).save(buffer, "MPO", save_all=True, append_images=[second])
    content = buffer.getvalue()
    start = content.rindex(b"\xff\xd8\xff")
    return content[:start] + PHOTO


def heic_with_gap() -> bytes:
    """The pixels' box made longer, with a clip behind them in it."""
    at = HEIC.rindex(b"mdat") - 4
    length = int.from_bytes(HEIC[at : at + 4], "big")
    assert at + length == len(HEIC)
    return HEIC[:at] + struct.pack(">I", length + len(CLIP)) + HEIC[at + 4 :] + CLIP


def avif_that_moves() -> bytes:
    """Its film says where; it grows at the end, where nothing is that anything else points to."""
    content = saved("AVIF", pages=2)
    at, end = content.index(b"moov") - 4, content.rindex(b"mdat") - 4
    assert at < end, "the pixels come last"
    place = box(b"udta", box(b"\xa9xyz", struct.pack(">HH", 18, 0x15C7) + TEXT))
    return content + box(b"moov", place)


DESCRIPTION = b'{"exif:GPSLatitude": "52.5043", "exif:GPSLongitude": "13.4085"}'
IN_LETTERS = base64.b64encode(b"\xff\xd8" + segment(b"Exif\x00\x00" + raw_exif()))
SKYDIO = b'<x:xmpmeta><a drone-skydio:Latitude="52.5043" geo:long="+52.5043+013.4085/"/></x:xmpmeta>'
XMP_EXTENSION = b"!\xff\x0bXMP DataXMP" + XMP + b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
COMMENT = b"GPSLatitude 52.5043"


def photoshop_with_layers(layers: bytes) -> bytes:
    content = photoshop()
    at = 26 + 4 + 4
    return content[:at] + struct.pack(">I", len(layers)) + layers + content[at + 4 :]


HIDDEN: dict[str, bytes] = {
    **{f"clip behind a jpg, {kind}": JPEG + clip for kind, clip in CLIPS.items()},
    "clip behind a jpg with a place": PHOTO + CLIP,
    "clip behind a jpg that does not end": JPEG[:-2] + CLIPS["of Android, made for streaming"],
    "clip behind a jpg, with a trailer of Samsung": JPEG + SAMSUNG,
    "clip behind a jpg and a brighter one": JPEG + JPEG + CLIP,
    "clip between two jpg": JPEG + CLIP + JPEG,
    "second picture of a jpg": mpo(),
    "second picture of a jpg, behind padding": JPEG + bytes(500) + PHOTO,
    "text behind a jpg": JPEG + TEXT,
    "small picture in EXIF": jpeg_with(segment(b"Exif\x00\x00" + with_thumbnail())),
    "small picture of JFIF": jpeg_with(application(0, b"JFXX\x00\x10" + PHOTO)),
    "note of a camera": jpeg_with(segment(b"Exif\x00\x00" + with_maker_note())),
    "EXIF within resources of Photoshop": jpeg_with(application(13, b"Photoshop 3.0\x00" + resource(1058, raw_exif()))),
    "XMP within resources of Photoshop": jpeg_with(application(13, b"Photoshop 3.0\x00" + resource(1060, XMP))),
    "resources of Photoshop that go on": jpeg_with(
        application(13, b"Photoshop 3.0\x00" + resource(1058, raw_exif())[:60]),
        application(13, b"Photoshop 3.0\x00" + resource(1058, raw_exif())[60:]),
    ),
    "small picture of Photoshop": jpeg_with(
        application(13, b"Photoshop 3.0\x00" + resource(1036, bytes(28) + PHOTO))
    ),
    "certificate in a jpg": jpeg_with(
        application(11, b"JP\x00\x01" + DESCRIPTION[:12]), application(11, DESCRIPTION[12:])
    ),
    "segment that nobody knows": jpeg_with(application(6, b"GoPro\x00" + TEXT)),
    "segment of a camera for heat": jpeg_with(segment(b"FLIR\x00\x01\x00\x00" + DOUBLE)),
    "segment of FlashPix": jpeg_with(application(2, b"FPXR\x00" + TEXT)),
    "comment in a jpg": jpeg_with(b"\xff\xfe" + struct.pack(">H", len(COMMENT) + 2) + COMMENT),
    "XMP of a drone": jpeg_with(segment(b"http://ns.adobe.com/xap/1.0/\x00" + SKYDIO)),
    "photo in letters in XMP": jpeg_with(more_of_packet(b"<a GImage:Data='" + IN_LETTERS + b"'/>")),
    "clip behind a png": PNG + CLIP,
    "text in a png": png_with(chunk(b"tEXt", b"exif:GPSLatitude\x0052.5043, 30/1, 61/4")),
    "resources of Photoshop in a png": png_with(
        chunk(b"tEXt", b"Raw profile type 8bim\x00" + in_digits(resource(1058, raw_exif())))
    ),
    "certificate in a png": png_with(chunk(b"caBX", DESCRIPTION)),
    "note of a camera in a png": png_with(chunk(b"eXIf", with_maker_note())),
    "clip behind a gif": GIF + CLIP,
    "XMP in a gif": gif_with(XMP_EXTENSION),
    "comment in a gif": gif_with(b"!\xfe" + bytes([len(COMMENT)]) + COMMENT + b"\x00"),
    "application in a gif": gif_with(b"!\xff\x0bELSEWHERE10" + bytes([len(DESCRIPTION)]) + DESCRIPTION + b"\x00"),
    "clip behind a webp": WEBP + CLIP,
    "certificate in a webp": webp_with(b"C2PA", DESCRIPTION),
    "clip in a heic": HEIC + box(b"mpvd", CLIP),
    "clip in a heic, of Samsung": HEIC + box(b"mpvd", CLIP) + box(b"sefd", SAMSUNG[-36:] + TEXT),
    "clip behind a heic": HEIC + CLIP,
    "clip among the pixels of a heic": heic_with_gap(),
    "box of a heic that nobody knows": HEIC + box(b"uuid", bytes(16) + DESCRIPTION),
    "free space of a heic": HEIC + box(b"free", TEXT),
    "a few bytes behind a heic": HEIC + b"52.5043",
    "note of a camera in a heic": heic_photo(exif=b"Exif\x00\x00" + with_maker_note()),
    "clip in an avif": AVIF + box(b"mpvd", CLIP),
    "film in an avif": avif_that_moves(),
    "XML in a jp2": JP2 + box(b"xml ", b"<gml:pos>52.5043 13.4085</gml:pos>"),
    "map in a jp2": JP2 + box(b"uuid", bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03") + DOUBLE),
    "clip behind a jp2": JP2 + CLIP,
    "clip behind a tiff": saved("TIFF") + CLIP,
    "resources of Photoshop in a tiff": tiff_with(0x8649, 1, len(resource(1060, XMP)), resource(1060, XMP)),
    "map in a tiff": tiff_with(0x8482, 12, 6, bytes(24) + DOUBLE + bytes(16)),
    "preview in a tiff": tiff_with_preview(),
    "clip behind a psd": photoshop()[:-192] + CLIP,
    "photo placed in a psd": photoshop_with_layers(bytes(20) + PHOTO + bytes(20)),
    "clip behind a bmp": bitmap() + CLIP,
    "clip behind an ico": saved("ICO", sizes=[(16, 12)]) + CLIP,
}  # fmt: skip


# What would have to be guessed.
REFUSED: dict[str, bytes] = {
    "XMP in a layer of a psd": photoshop_with_layers(XMP),
    "pixels of a heic in a box that nobody knows": HEIC.replace(b"mdat", b"mdxt"),
    "clip in the middle of a tiff": tiff_photo(pixels=CLIP[:200]),
}
