"""GIF: a canvas, and blocks that each are a row of smaller ones."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from modules.materials.pictures import xmp
from modules.materials.pictures.size import Size
from modules.materials.pictures.source import Block, Source, Unreadable

EXTENSION, IMAGE, END = 0x21, 0x2C, 0x3B
# Some writers end a block once too often.
PADDING = 0x00
HAS_COLOURS = 0x80


COMMENT, APPLICATION = 0xFE, 0xFF
# Its packet does not lie in small blocks, but is written as if it did.
XMP = b"\x0bXMP DataXMP"


@dataclass(frozen=True)
class Part:
    """Which kind it is, and where it begins and ends."""

    kind: int
    start: int
    end: int


def read_sizes(source: Source) -> Iterator[Size]:
    """Width and height, once for every frame. Raises `Unreadable`."""
    canvas_width, canvas_height = struct.unpack("<HH", source.read(6, 4))
    for part in _read_parts(source):
        if part.kind == IMAGE:
            left, top, width, height = struct.unpack("<HHHH", source.read(part.start + 1, 8))
            # Readers make the canvas larger for a frame that goes beyond it.
            yield Size(max(left + width, canvas_width), max(top + height, canvas_height))


def clear_location(source: Source) -> bool:
    """Clear the location in place; return whether there was one. Raises `Unreadable`."""
    cleared, end = False, 0
    for part in _read_parts(source):
        end = part.end
        if part.kind == EXTENSION and source.read(part.start + 1, 1)[0] in {COMMENT, APPLICATION}:
            cleared = _clear_extension(source, part) or cleared
    # Behind the end of the picture may be anything.
    return source.clear(end, source.length) or cleared


def _clear_extension(source: Source, part: Part) -> bool:
    start = part.start + 2
    if source.read(start, min(len(XMP), part.end - start)) == XMP:
        return xmp.clear_location(Block.between(source, start + len(XMP), part.end))
    blocks = _list_sub_blocks(source, start)
    if not xmp.names_location(Block(source, tuple(blocks))):
        return False
    # The first of an application says whose it is.
    is_named = source.read(part.start + 1, 1)[0] == APPLICATION
    return sum(source.clear(*block) for block in blocks[1 if is_named else 0 :]) > 0


def _read_parts(source: Source) -> Iterator[Part]:
    """Up to the end of the picture. Raises `Unreadable`."""
    position = 13 + _measure_colours(source.read(10, 1)[0])
    while position < source.length:
        kind, end = source.read(position, 1)[0], position + 1
        if kind == IMAGE:
            end = _skip_sub_blocks(source, position + 11 + _measure_colours(source.read(position + 9, 1)[0]))
        elif kind == EXTENSION:
            end = _skip_sub_blocks(source, position + 2)
        elif kind not in {PADDING, END}:
            raise Unreadable("there is something in it that is no part of it")
        yield Part(kind, position, end)
        if kind == END:
            return
        position = end


def _list_sub_blocks(source: Source, position: int) -> list[tuple[int, int]]:
    blocks = []
    while length := source.read(position, 1)[0]:
        blocks.append((position + 1, position + 1 + length))
        position += 1 + length
    return blocks


def _measure_colours(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & HAS_COLOURS else 0


def _skip_sub_blocks(source: Source, position: int) -> int:
    while length := source.read(position, 1)[0]:
        position += 1 + length
    return position + 1
