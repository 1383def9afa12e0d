"""PNG and its animations: a list of chunks."""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from modules.materials.pictures import exif, resources, xmp
from modules.materials.pictures.size import Size
from modules.materials.pictures.source import Block, Source, Unreadable

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What a text becomes whose location cannot be cleared by itself: the small letters say that it may be passed over.
IGNORED_CHUNK = b"noNe"
TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
XMP_KEYWORD = b"XML:com.adobe.xmp"
PROFILE_KEYWORDS = {b"raw profile type " + kind for kind in (b"exif", b"app1", b"xmp", b"8bim")}
# What a reader needs. Others may hold anything.
HARMLESS = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV"),
    *(b"cLLI", b"bKGD", b"hIST", b"pHYs", b"sPLT", b"tIME", b"acTL", b"fcTL", b"fdAT", IGNORED_CHUNK),
}
# Texts that are longer, packed or unpacked, are not looked into.
MAX_BYTES_OF_TEXT = 1024 * 1024
# Unpacking takes its time, and no honest picture has as many that may hold a location.
MAX_TEXTS = 20
MAX_KEYWORD_LENGTH = 79


@dataclass(frozen=True)
class Chunk:
    """Its name, and where its data lies; the name is before them and the checksum behind."""

    name: bytes
    start: int
    end: int


def read_sizes(source: Source) -> Iterator[Size]:
    """Width and height, once for every frame. Raises `Unreadable`."""
    canvas: Size | None = None
    for chunk in _read_chunks(source):
        if chunk.name == b"IHDR" or canvas is None:
            canvas = read_size(source, chunk.start - 8)
            yield canvas
        elif chunk.name == b"fcTL":
            width, height = struct.unpack(">II", source.read(chunk.start + 4, 8))
            yield Size(max(width, canvas.width), max(height, canvas.height))


def read_size(source: Source, position: int) -> Size:
    """What the header says that begins there. Raises `Unreadable`."""
    length, name, width, height = struct.unpack(">I4sII", source.read(position, 16))
    if length != 13 or name != b"IHDR":
        raise Unreadable("it does not say how large it is")
    return Size(width, height)


def clear_location(source: Source) -> bool:
    """Clear the location in place; return whether there was one. Raises `LocationNotRemovable` and `Unreadable`."""
    cleared = False
    texts = end = 0
    for chunk in _read_chunks(source):
        end = chunk.end + 4
        if chunk.name == b"eXIf":
            cleared = _clear_exif(source, chunk) or cleared
        elif chunk.name in TEXTS and (text := _Text(source, chunk)).may_have_location:
            texts += 1
            if texts > MAX_TEXTS:
                raise Unreadable("it has too many parts")
            cleared = _clear_text(source, chunk, text) or cleared
        elif chunk.name not in HARMLESS and xmp.names_location(Block.between(source, chunk.start, chunk.end)):
            cleared = _clear_wholly(source, chunk)
    # Behind the end of the picture may be anything.
    return source.clear(end, source.length) or cleared


def _read_chunks(source: Source) -> Iterator[Chunk]:
    position = len(SIGNATURE)
    while position < source.length:
        length, name = struct.unpack(">I4s", source.read(position, 8))
        start, end = position + 8, position + 8 + length
        if end + 4 > source.length:
            raise Unreadable("it ends too early")
        yield Chunk(name, start, end)
        if name == b"IEND":
            return
        position = end + 4


def _clear_exif(source: Source, chunk: Chunk) -> bool:
    if not exif.clear_location(Block.between(source, chunk.start, chunk.end)):
        return False
    _write_checksum(source, chunk)
    return True


def _clear_text(source: Source, chunk: Chunk, text: "_Text") -> bool:
    block = Block.between(source, chunk.start, chunk.end)
    if text.is_plain_packet:
        cleared = xmp.clear_location(block)
    else:
        return text.has_location() and _clear_wholly(source, chunk)
    if cleared:
        _write_checksum(source, chunk)
    return cleared


def _clear_wholly(source: Source, chunk: Chunk) -> bool:
    source.write(chunk.start - 4, IGNORED_CHUNK)
    source.clear(chunk.start, chunk.end)
    _write_checksum(source, chunk)
    return True


def _write_checksum(source: Source, chunk: Chunk) -> None:
    checksum = 0
    for _, piece in source.chunks(chunk.start - 4, chunk.end):
        checksum = zlib.crc32(piece, checksum)
    source.write(chunk.end, struct.pack(">I", checksum))


class _Text:
    """What a chunk of text says, which may be packed."""

    def __init__(self, source: Source, chunk: Chunk) -> None:
        self.name = chunk.name
        self.is_long = chunk.end - chunk.start > MAX_BYTES_OF_TEXT
        raw = source.read(chunk.start, min(chunk.end - chunk.start, MAX_BYTES_OF_TEXT))
        keyword, _, self._rest = raw.partition(b"\x00")
        self.keyword = keyword[:MAX_KEYWORD_LENGTH]

    @property
    def may_have_location(self) -> bool:
        return self._is_profile or self.keyword == XMP_KEYWORD

    @property
    def is_plain_packet(self) -> bool:
        return self.keyword == XMP_KEYWORD and not self._is_packed

    def has_location(self) -> bool:
        """Whether a packet of XMP, or EXIF written in digits, has one; also if it is too long to tell."""
        text = self._unpacked()
        if text is None or self.is_long:
            return True
        if self._is_profile:
            text = _decode_digits(text)
        block = Block.between(Source(io.BytesIO(text)), 0, len(text))
        return xmp.has_location(block) or exif.clear_location(block) or resources.clear_location(block)

    @property
    def _is_profile(self) -> bool:
        return self.keyword.lower() in PROFILE_KEYWORDS

    @property
    def _is_packed(self) -> bool:
        return self.name == b"zTXt" or (self.name == b"iTXt" and self._rest[:1] == b"\x01")

    def _unpacked(self) -> bytes | None:
        """`None` for what is longer than anybody looks at."""
        text = self._rest
        if self.name == b"iTXt":
            # Behind two numbers come a language and a keyword in it.
            text = text[2:].split(b"\x00", 2)[-1]
        elif self.name == b"zTXt":
            text = text[1:]
        if not self._is_packed:
            return text
        unpacker = zlib.decompressobj()
        try:
            unpacked = unpacker.decompress(text, MAX_BYTES_OF_TEXT)
        except zlib.error:
            return b""
        return None if unpacker.unconsumed_tail else unpacked


def _decode_digits(text: bytes) -> bytes:
    """Such a profile is its name, its length and then two digits for each byte."""
    digits = b"".join(text.split()[2:])
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return b""
