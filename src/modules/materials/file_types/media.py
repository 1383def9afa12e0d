"""Detect pictures, audio and video by their container and what it names as its content."""

from typing import IO

from modules.materials.file_types.frames import detect_audio_type, detect_mpeg_stream_type

RIFF_FORMS = {b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo", b"WEBP": "image/webp", b"RMID": "audio/midi"}
# All other brands are video in MP4.
BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"heim": "image/heic",
    b"heis": "image/heic",
    b"hevc": "image/heic",
    b"hevx": "image/heic",
    b"hevm": "image/heic",
    b"hevs": "image/heic",
    b"mif1": "image/heif",
    b"mif2": "image/heif",
    b"msf1": "image/heif",
    b"miaf": "image/heif",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"M4P ": "audio/mp4",
    b"F4A ": "audio/mp4",
    b"F4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
PICTURE_BRANDS = (b"avif", b"heic", b"mif1", b"miaf")
# Raw pictures of cameras: no parser here removes their location.
RAW_BRANDS = {b"crx "}
# The first boxes of QuickTime files without a brand, and boxes that may precede them.
QUICKTIME = {b"moov", b"mdat", b"wide"}
FILLERS = {b"free", b"skip", b"pnot"}
WEBM_OR_MATROSKA = b"\x1a\x45\xdf\xa3"
MATROSKA_HEADER_SIZE = 4096

BITMAP_HEADER_SIZES = {12, 40, 52, 56, 64, 108, 124}
ADVANCED_SYSTEMS_FORMAT = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
# The types of streams in it.
ASF_VIDEO = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
ASF_AUDIO = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")
ADAPTIVE_MULTI_RATE = {
    b"#!AMR\n": "audio/amr",
    b"#!AMR_MC1.0\n": "audio/amr",
    b"#!AMR-WB\n": "audio/amr-wb",
    b"#!AMR-WB_MC1.0\n": "audio/amr-wb",
}


def detect_media_type(content: IO[bytes], head: bytes) -> str | None:
    for detect in DETECTORS:
        content_type = detect(head)
        if content_type is not None:
            return content_type
    length = content.seek(0, 2)
    return detect_audio_type(content, head, length) or detect_mpeg_stream_type(head, length)


def _detect_riff(head: bytes) -> str | None:
    # RF64 and BW64 are for files of more than 4 GiB.
    return RIFF_FORMS.get(head[8:12]) if head[:4] in {b"RIFF", b"RF64", b"BW64"} else None


def _detect_iff(head: bytes) -> str | None:
    if head.startswith(b"FORM") and head[8:12] in {b"AIFF", b"AIFC"}:
        return "audio/aiff"
    return "image/vnd.djvu" if head.startswith(b"AT&TFORM") else None


def _detect_core_audio(head: bytes) -> str | None:
    """Detect CAF, whose first chunk is `desc` with a fixed length."""
    is_one = head.startswith(b"caff\x00\x01\x00\x00desc\x00\x00\x00\x00\x00\x00\x00\x20")
    return "audio/x-caf" if is_one else None


def _detect_iso_media(head: bytes) -> str | None:
    """Detect MP4 and related formats, and QuickTime without a brand."""
    name, length = head[4:8], int.from_bytes(head[:4], "big")
    if name in QUICKTIME or (name in FILLERS and head[length + 4 : length + 8] in QUICKTIME | FILLERS | {b"ftyp"}):
        return "video/quicktime"
    brand = head[8:12]
    # `styp` begins a segment of a streamed video.
    if name not in {b"ftyp", b"styp"} or not all(0x20 <= letter < 0x7F for letter in brand):
        return None
    return None if brand in RAW_BRANDS else _choose_type_by_brands(brand, head[16 : min(max(length, 64), 512)])


def _choose_type_by_brands(brand: bytes, others: bytes) -> str:
    if brand in {b"mif1", b"msf1"} and b"avif" in others:
        return "image/avif"
    if brand in BRANDS:
        return BRANDS[brand]
    if brand.startswith(b"3g2"):
        return "video/3gpp2"
    if brand.startswith(b"3gp"):
        return "video/3gpp"
    # A picture with an unknown major brand.
    return next((BRANDS[picture] for picture in PICTURE_BRANDS if picture in others), "video/mp4")


def _detect_matroska(head: bytes) -> str | None:
    if not head.startswith(WEBM_OR_MATROSKA):
        return None
    header = head[:MATROSKA_HEADER_SIZE]
    if b"\x42\x82" not in header:
        return None
    kind = header[header.index(b"\x42\x82") :][:20]
    if b"webm" in kind:
        return "video/webm"
    return "video/x-matroska" if b"matroska" in kind else None


def _detect_ogg(head: bytes) -> str | None:
    if not head.startswith(b"OggS"):
        return None
    return "video/ogg" if b"theora" in head[:4096] else "audio/ogg"


def _detect_advanced_systems_format(head: bytes) -> str | None:
    if not head.startswith(ADVANCED_SYSTEMS_FORMAT):
        return None
    return "audio/x-ms-wma" if ASF_AUDIO in head and ASF_VIDEO not in head else "video/x-ms-wmv"


def _detect_adaptive_multi_rate(head: bytes) -> str | None:
    return next((kind for magic, kind in ADAPTIVE_MULTI_RATE.items() if head.startswith(magic)), None)


def _detect_bitmap(head: bytes) -> str | None:
    """Detect BMP by the size of its header, too: the signature is just `BM`."""
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return "image/bmp" if int.from_bytes(head[14:18], "little") in BITMAP_HEADER_SIZES else None
    return None


def _detect_icon(head: bytes) -> str | None:
    """Detect ICO by the number of pictures and a reserved byte, too: the signature is mostly zeros."""
    if (
        head.startswith(b"\x00\x00\x01\x00")
        and 1 <= int.from_bytes(head[4:6], "little") <= 64
        and head[9:10] == b"\x00"
    ):
        return "image/x-icon"
    return None


DETECTORS = (
    _detect_riff,
    _detect_iff,
    _detect_core_audio,
    _detect_iso_media,
    _detect_matroska,
    _detect_ogg,
    _detect_advanced_systems_format,
    _detect_adaptive_multi_rate,
    _detect_bitmap,
    _detect_icon,
)
