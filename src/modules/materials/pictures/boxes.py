"""Files that are boxes in boxes, as HEIC, AVIF and JPEG 2000 are, and as video is."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from modules.materials.pictures.source import Source, Unreadable

# Boxes that are a list of boxes, and how many bytes of each come before it.
LISTS = {
    **dict.fromkeys((b"iprp", b"ipco", b"moov", b"trak", b"mdia", b"minf", b"stbl", b"jp2h"), 0),
    b"meta": 4,
    b"stsd": 8,
}
DEEPEST = 8
# What readers pass over.
FREE_SPACE = (b"free", b"skip")


@dataclass(frozen=True)
class Box:
    """Its name and that of the box around it, where it begins, and where what it holds begins and ends."""

    name: bytes
    around: bytes
    position: int
    start: int
    end: int


def walk_boxes(source: Source) -> Iterator[Box]:
    """Every box of a file, those in lists behind the list. Raises `Unreadable`."""
    yield from _walk(source, 0, source.length, around=b"", depth=0)


def list_children(source: Source, start: int, end: int) -> Iterator[Box]:
    """The boxes between two positions, not those within them. Raises `Unreadable`."""
    yield from _walk(source, start, end, around=b"", depth=DEEPEST)


def discard(source: Source, box: Box) -> bool:
    """Make nothing of a box, in its place; whether there was anything in it."""
    if box.name not in FREE_SPACE:
        source.write(box.position + 4, FREE_SPACE[0])
    return source.clear(box.start, box.end)


def _walk(source: Source, position: int, end: int, *, around: bytes, depth: int) -> Iterator[Box]:
    # What is too short for a box is padding.
    while position + 8 <= end:
        length, name = struct.unpack(">I4s", source.read(position, 8))
        start = position + 8
        if length == 1:
            length = source.number(start, 8)
            start += 8
        following = position + length if length else end
        if not start <= following <= end:
            raise Unreadable("it ends too early")
        yield Box(name, around, position, start, following)
        if name in LISTS and depth < DEEPEST:
            yield from _walk(source, start + LISTS[name], following, around=name, depth=depth + 1)
        position = following
