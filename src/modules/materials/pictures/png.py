"""PNG and APNG: a list of chunks."""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from modules.materials.pictures import exif, resources, xmp
from modules.materials.pictures.size import Size
from modules.materials.pictures.source import Block, Source, Unreadable

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# The type of a chunk that was cleared as a whole. Lower case: ancillary and private, so that readers skip it.
CLEARED_CHUNK = b"noNe"
TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
XMP_KEYWORD = b"XML:com.adobe.xmp"
PROFILE_KEYWORDS = {b"raw profile type " + kind for kind in (b"exif", b"app1", b"xmp", b"8bim")}
# Chunks without free text. Others may contain a location.
HARMLESS = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV"),
    *(b"cLLI", b"bKGD", b"hIST", b"pHYs", b"sPLT", b"tIME", b"acTL", b"fcTL", b"fdAT", CLEARED_CHUNK),
}
# A longer text, compressed or not, is cleared as a whole.
MAX_TEXT_BYTES = 1024 * 1024
# Bounds the time that decompression takes.
MAX_TEXTS = 20
MAX_KEYWORD_LENGTH = 79


@dataclass(frozen=True)
class Chunk:
    """A chunk with its data from `start` to `end`; the checksum follows."""

    name: bytes
    start: int
    end: int


def read_sizes(source: Source) -> Iterator[Size]:
    """Yield the width and height of every frame. Raises `Unreadable`."""
    canvas: Size | None = None
    for chunk in _read_chunks(source):
        if chunk.name == b"IHDR" or canvas is None:
            canvas = read_size(source, chunk.start - 8)
            yield canvas
        elif chunk.name == b"fcTL":
            width, height = struct.unpack(">II", source.read(chunk.start + 4, 8))
            yield Size(max(width, canvas.width), max(height, canvas.height))


def read_size(source: Source, position: int) -> Size:
    """Read width and height from the IHDR chunk at `position`. Raises `Unreadable`."""
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
            cleared = _clear_chunk(source, chunk)
    # Data after the picture may contain a location.
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
    if text.is_uncompressed_xmp:
        cleared = xmp.clear_location(block)
    else:
        return text.has_location() and _clear_chunk(source, chunk)
    if cleared:
        _write_checksum(source, chunk)
    return cleared


def _clear_chunk(source: Source, chunk: Chunk) -> bool:
    source.write(chunk.start - 4, CLEARED_CHUNK)
    source.clear(chunk.start, chunk.end)
    _write_checksum(source, chunk)
    return True


def _write_checksum(source: Source, chunk: Chunk) -> None:
    checksum = 0
    for _, piece in source.read_chunks(chunk.start - 4, chunk.end):
        checksum = zlib.crc32(piece, checksum)
    source.write(chunk.end, struct.pack(">I", checksum))


class _Text:
    """The keyword and the text of a chunk, which may be compressed."""

    def __init__(self, source: Source, chunk: Chunk) -> None:
        self.name = chunk.name
        self.is_long = chunk.end - chunk.start > MAX_TEXT_BYTES
        raw = source.read(chunk.start, min(chunk.end - chunk.start, MAX_TEXT_BYTES))
        keyword, _, self._rest = raw.partition(b"\x00")
        self.keyword = keyword[:MAX_KEYWORD_LENGTH]

    @property
    def may_have_location(self) -> bool:
        return self._is_profile or self.keyword == XMP_KEYWORD

    @property
    def is_uncompressed_xmp(self) -> bool:
        return self.keyword == XMP_KEYWORD and not self._is_compressed

    def has_location(self) -> bool:
        """Return whether an XMP packet or a profile in hexadecimal digits has a location, or is too long to tell."""
        text = self._decompress()
        if text is None or self.is_long:
            return True
        if self._is_profile:
            text = _decode_hex_profile(text)
        block = Block.between(Source(io.BytesIO(text)), 0, len(text))
        return xmp.has_location(block) or exif.clear_location(block) or resources.clear_location(block)

    @property
    def _is_profile(self) -> bool:
        return self.keyword.lower() in PROFILE_KEYWORDS

    @property
    def _is_compressed(self) -> bool:
        return self.name == b"zTXt" or (self.name == b"iTXt" and self._rest[:1] == b"\x01")

    def _decompress(self) -> bytes | None:
        """Return the text; `None` if it exceeds `MAX_TEXT_BYTES`."""
        text = self._rest
        if self.name == b"iTXt":
            # Compression flag and method, language, translated keyword, text.
            text = text[2:].split(b"\x00", 2)[-1]
        elif self.name == b"zTXt":
            text = text[1:]
        if not self._is_compressed:
            return text
        decompressor = zlib.decompressobj()
        try:
            decompressed = decompressor.decompress(text, MAX_TEXT_BYTES)
        except zlib.error:
            return b""
        return None if decompressor.unconsumed_tail else decompressed


def _decode_hex_profile(text: bytes) -> bytes:
    """Decode a raw profile: name, length, bytes as hexadecimal digits. Empty if these are malformed."""
    digits = b"".join(text.split()[2:])
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return b""
