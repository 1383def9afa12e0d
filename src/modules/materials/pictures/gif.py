"""GIF: a header, and blocks that consist of sub-blocks."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from modules.materials.pictures import xmp
from modules.materials.pictures.size import Size
from modules.materials.pictures.source import Block, Source, Span, Unreadable

EXTENSION, IMAGE, END = 0x21, 0x2C, 0x3B
# Some writers add a second terminator to a block.
PADDING = 0x00
HAS_COLOR_TABLE = 0x80

COMMENT, APPLICATION = 0xFE, 0xFF
# The packet follows as plain bytes, not in sub-blocks.
XMP = b"\x0bXMP DataXMP"


@dataclass(frozen=True)
class GifBlock:
    kind: int
    start: int
    end: int


def read_sizes(source: Source) -> Iterator[Size]:
    """Yield the width and height of every frame. Raises `Unreadable`."""
    canvas_width, canvas_height = struct.unpack("<HH", source.read(6, 4))
    for block in _read_blocks(source):
        if block.kind == IMAGE:
            left, top, width, height = struct.unpack("<HHHH", source.read(block.start + 1, 8))
            # Readers enlarge the canvas for a frame that exceeds it.
            yield Size(max(left + width, canvas_width), max(top + height, canvas_height))


def clear_location(source: Source) -> bool:
    """Clear the location in place; return whether there was one. Raises `Unreadable`."""
    cleared, end = False, 0
    for block in _read_blocks(source):
        end = block.end
        if block.kind == EXTENSION and source.read(block.start + 1, 1)[0] in {COMMENT, APPLICATION}:
            cleared = _clear_extension(source, block) or cleared
    # Data after the picture may contain a location.
    return source.clear(end, source.length) or cleared


def _clear_extension(source: Source, block: GifBlock) -> bool:
    start = block.start + 2
    if source.read(start, min(len(XMP), block.end - start)) == XMP:
        return xmp.clear_location(Block.between(source, start + len(XMP), block.end))
    sub_blocks = _list_sub_blocks(source, start)
    if not xmp.names_location(Block(source, tuple(sub_blocks))):
        return False
    # The first sub-block of an application extension is its identifier.
    is_application = source.read(block.start + 1, 1)[0] == APPLICATION
    return sum(source.clear(*span) for span in sub_blocks[1 if is_application else 0 :]) > 0


def _read_blocks(source: Source) -> Iterator[GifBlock]:
    """Yield the blocks up to the trailer. Raises `Unreadable`."""
    position = 13 + _measure_color_table(source.read(10, 1)[0])
    while position < source.length:
        kind, end = source.read(position, 1)[0], position + 1
        if kind == IMAGE:
            end = _skip_sub_blocks(source, position + 11 + _measure_color_table(source.read(position + 9, 1)[0]))
        elif kind == EXTENSION:
            end = _skip_sub_blocks(source, position + 2)
        elif kind not in {PADDING, END}:
            raise Unreadable("there is something in it that is no part of it")
        yield GifBlock(kind, position, end)
        if kind == END:
            return
        position = end


def _list_sub_blocks(source: Source, position: int) -> list[Span]:
    blocks = []
    while length := source.read(position, 1)[0]:
        blocks.append((position + 1, position + 1 + length))
        position += 1 + length
    return blocks


def _measure_color_table(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & HAS_COLOR_TABLE else 0


def _skip_sub_blocks(source: Source, position: int) -> int:
    while length := source.read(position, 1)[0]:
        position += 1 + length
    return position + 1
