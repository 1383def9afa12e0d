"""Sound, pictures and video in containers: the first bytes name the container, what follows says what is in it."""

from collections.abc import Callable

RIFF_FORMS = {b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo", b"WEBP": "image/webp", b"RMID": "audio/midi"}
BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"heim": "image/heic",
    b"heis": "image/heic",
    b"hevc": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"M4P ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
BITMAP_HEADER_SIZES = {12, 40, 52, 56, 64, 108, 124}
ADVANCED_SYSTEMS_FORMAT = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")


def media_type(head: bytes) -> str | None:
    for look in LOOKS:
        content_type = look(head)
        if content_type is not None:
            return content_type
    return None


def _riff(head: bytes) -> str | None:
    return RIFF_FORMS.get(head[8:12]) if head.startswith(b"RIFF") else None


def _iff(head: bytes) -> str | None:
    if head.startswith(b"FORM") and head[8:12] in {b"AIFF", b"AIFC"}:
        return "audio/aiff"
    return "image/vnd.djvu" if head.startswith(b"AT&TFORM") else None


def _iso_media(head: bytes) -> str | None:
    """MP4 and its relatives, QuickTime from before they had brands."""
    if head[4:8] in {b"moov", b"mdat", b"wide"}:
        return "video/quicktime"
    brand = head[8:12]
    if head[4:8] != b"ftyp" or not all(0x20 <= letter < 0x7F for letter in brand):
        return None
    if brand in {b"mif1", b"msf1"} and b"avif" in head[16:64]:
        return "image/avif"
    if brand.startswith((b"3gp", b"3g2")):
        return "video/3gpp"
    return BRANDS.get(brand, "video/mp4")


def _matroska(head: bytes) -> str | None:
    if not head.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    if b"webm" in head[:64]:
        return "video/webm"
    return "video/x-matroska" if b"matroska" in head[:64] else None


def _ogg(head: bytes) -> str | None:
    if not head.startswith(b"OggS"):
        return None
    return "video/ogg" if b"theora" in head[:512] else "audio/ogg"


def _advanced_systems_format(head: bytes) -> str | None:
    return "video/x-ms-wmv" if head.startswith(ADVANCED_SYSTEMS_FORMAT) else None


def _bitmap(head: bytes) -> str | None:
    """Two letters begin it, which a text may have too; a header of a known size has to follow."""
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return "image/bmp" if int.from_bytes(head[14:18], "little") in BITMAP_HEADER_SIZES else None
    return None


def _icon(head: bytes) -> str | None:
    """No letters at all: the number of pictures and the byte that is always 0 have to fit."""
    if (
        head.startswith(b"\x00\x00\x01\x00")
        and 1 <= int.from_bytes(head[4:6], "little") <= 64
        and head[9:10] == b"\x00"
    ):
        return "image/x-icon"
    return None


def _mpeg_audio(head: bytes) -> str | None:
    if head.startswith(b"ID3") and head[3:4] in {b"\x02", b"\x03", b"\x04"}:
        return "audio/mpeg"
    return _framed(head, _mp3_frame, "audio/mpeg") or _framed(head, _aac_frame, "audio/aac")


def _framed(head: bytes, length_of: Callable[[bytes], int], content_type: str) -> str | None:
    """A frame begins with eleven or twelve bits, which is nothing: one has to follow the other."""
    position = 0
    for _ in range(3):
        length = length_of(head[position : position + 7])
        if not length:
            return None
        position += length
    return content_type


def _mp3_frame(header: bytes) -> int:
    """The length of a frame of MPEG audio, layer III, or 0 where this is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version = header[1] >> 3 & 3
    rate, frequency, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or rate in {0, 15} or frequency == 3:
        return 0
    kilobits = (MPEG_1_RATES if version == 3 else MPEG_2_RATES)[rate]
    hertz = (44100, 48000, 32000)[frequency] >> {3: 0, 2: 1, 0: 2}[version]
    return (144 if version == 3 else 72) * kilobits * 1000 // hertz + padding


def _aac_frame(header: bytes) -> int:
    """The length of an ADTS frame, or 0 where this is none."""
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0 or header[2] >> 2 & 15 > 12:
        return 0
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return length if length > 7 else 0


def _transport_stream(head: bytes) -> str | None:
    """MPEG-TS: a `G` at the beginning of each packet."""
    return "video/mp2t" if len(head) >= 753 and head[:753:188] == b"G" * 5 else None


MPEG_1_RATES = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
MPEG_2_RATES = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)

LOOKS = (
    _riff,
    _iff,
    _iso_media,
    _matroska,
    _ogg,
    _advanced_systems_format,
    _bitmap,
    _icon,
    _mpeg_audio,
    _transport_stream,
)
