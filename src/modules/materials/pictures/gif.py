"""GIF: a canvas, and blocks that each are a row of smaller ones."""

import struct
from collections.abc import Iterator

from modules.materials.pictures.size import Size
from modules.materials.pictures.source import Source, Unreadable

EXTENSION, IMAGE, END = 0x21, 0x2C, 0x3B
# Some writers end a block once too often.
PADDING = 0x00
HAS_COLOURS = 0x80


def sizes(source: Source) -> Iterator[Size]:
    """Width and height, once for every frame. Raises `Unreadable`."""
    canvas_width, canvas_height, flags = struct.unpack("<HHB", source.read(6, 5))
    position = 13 + _length_of_colours(flags)
    while position < source.length:
        kind = source.read(position, 1)[0]
        if kind == IMAGE:
            left, top, width, height, flags = struct.unpack("<HHHHB", source.read(position + 1, 9))
            # Readers make the canvas larger for a frame that goes beyond it.
            yield Size(max(left + width, canvas_width), max(top + height, canvas_height))
            position = _after_parts(source, position + 11 + _length_of_colours(flags))
        elif kind == EXTENSION:
            position = _after_parts(source, position + 2)
        elif kind == PADDING:
            position += 1
        elif kind == END:
            return
        else:
            raise Unreadable("there is something in it that is no part of it")


def _length_of_colours(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & HAS_COLOURS else 0


def _after_parts(source: Source, position: int) -> int:
    while length := source.read(position, 1)[0]:
        position += 1 + length
    return position + 1
