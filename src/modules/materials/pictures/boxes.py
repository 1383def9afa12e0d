"""Boxes of the ISO base media file format, which HEIC, AVIF, JPEG 2000 and MP4 consist of."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from modules.materials.pictures.source import Source, Unreadable

# Boxes that contain boxes, and the length of the header before the first.
CONTAINERS = {
    **dict.fromkeys((b"iprp", b"ipco", b"moov", b"trak", b"mdia", b"minf", b"stbl", b"jp2h"), 0),
    b"meta": 4,
    b"stsd": 8,
}
MAX_DEPTH = 8
# Boxes that readers skip.
FREE_SPACE = (b"free", b"skip")


@dataclass(frozen=True)
class Box:
    """A box at `position`, whose payload is from `start` to `end`; `parent` is the name of the box around it."""

    name: bytes
    parent: bytes
    position: int
    start: int
    end: int


def walk_boxes(source: Source) -> Iterator[Box]:
    """Yield every box of a file, depth first. Raises `Unreadable`."""
    yield from _walk(source, 0, source.length, parent=b"", depth=0)


def list_children(source: Source, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two positions, without their children. Raises `Unreadable`."""
    yield from _walk(source, start, end, parent=b"", depth=MAX_DEPTH)


def replace_with_free_space(source: Source, box: Box) -> bool:
    """Turn a box into an empty `free` box of the same length; return whether it had a payload."""
    if box.name not in FREE_SPACE:
        source.write(box.position + 4, FREE_SPACE[0])
    return source.clear(box.start, box.end)


def _walk(source: Source, position: int, end: int, *, parent: bytes, depth: int) -> Iterator[Box]:
    # Fewer bytes than a header are padding.
    while position + 8 <= end:
        length, name = struct.unpack(">I4s", source.read(position, 8))
        start = position + 8
        if length == 1:
            length = source.read_number(start, 8)
            start += 8
        next_position = position + length if length else end
        if not start <= next_position <= end:
            raise Unreadable("it ends too early")
        yield Box(name, parent, position, start, next_position)
        if name in CONTAINERS and depth < MAX_DEPTH:
            yield from _walk(source, start + CONTAINERS[name], next_position, parent=name, depth=depth + 1)
        position = next_position
