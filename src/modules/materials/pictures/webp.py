"""WebP: a list of RIFF chunks."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from modules.materials.pictures import exif, xmp
from modules.materials.pictures.size import Size
from modules.materials.pictures.source import Block, Source, Unreadable

HEADER_SIZE = 12
# Precedes the sub-chunks of an animation frame.
FRAME_HEADER_SIZE = 16
HARMLESS = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}


@dataclass(frozen=True)
class Chunk:
    name: bytes
    start: int
    end: int


def read_sizes(source: Source) -> Iterator[Size]:
    """Yield the width and height of every frame. Raises `Unreadable`."""
    canvas = Size(0, 0)
    for chunk in _read_chunks(source, HEADER_SIZE, _read_end(source)):
        if chunk.name == b"VP8X":
            canvas = _read_size(source, chunk.start + 4)
            yield canvas
        elif chunk.name == b"ANMF":
            sizes_of_frame = [canvas, _read_size(source, chunk.start + 6), *_read_frame_sizes(source, chunk)]
            yield Size(max(size.width for size in sizes_of_frame), max(size.height for size in sizes_of_frame))
        elif size := _read_pixel_size(source, chunk):
            yield size


def clear_location(source: Source) -> bool:
    """Clear the location in place; return whether there was one. Raises `LocationNotRemovable` and `Unreadable`."""
    cleared = False
    for chunk in _read_chunks(source, HEADER_SIZE, _read_end(source)):
        block = Block.between(source, chunk.start, chunk.end)
        if chunk.name == b"EXIF":
            cleared = exif.clear_location(block) or cleared
        elif chunk.name == b"XMP ":
            cleared = xmp.clear_location(block) or cleared
        elif chunk.name not in HARMLESS and xmp.names_location(block):
            cleared = block.clear(0, block.length) or cleared
    # Data after the picture may contain a location.
    return source.clear(_read_end(source), source.length) or cleared


def _read_end(source: Source) -> int:
    """Return where the picture ends, which need not be the end of the file."""
    end = 8 + source.read_number(4, 4, "little")
    if end > source.length:
        raise Unreadable("it ends too early")
    return end


def _read_chunks(source: Source, position: int, end: int) -> Iterator[Chunk]:
    while position + 8 <= end:
        name, length = struct.unpack("<4sI", source.read(position, 8))
        start = position + 8
        if start + length > end:
            raise Unreadable("it ends too early")
        yield Chunk(name, start, start + length)
        position = start + length + length % 2


def _read_frame_sizes(source: Source, frame: Chunk) -> Iterator[Size]:
    for chunk in _read_chunks(source, frame.start + FRAME_HEADER_SIZE, frame.end):
        if size := _read_pixel_size(source, chunk):
            yield size


def _read_pixel_size(source: Source, chunk: Chunk) -> Size | None:
    if chunk.name == b"VP8 ":
        width, height = struct.unpack("<HH", source.read(chunk.start + 6, 4))
        return Size(width & 0x3FFF, height & 0x3FFF)
    if chunk.name == b"VP8L":
        bits = source.read_number(chunk.start + 1, 4, "little")
        return Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    return None


def _read_size(source: Source, position: int) -> Size:
    """Read two integers of three bytes, each stored minus one."""
    return Size(source.read_number(position, 3, "little") + 1, source.read_number(position + 3, 3, "little") + 1)
