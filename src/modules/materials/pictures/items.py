"""What a HEIF file holds: items, of which one table says what they are and another where they lie."""

from dataclasses import dataclass, field

from modules.materials.pictures.boxes import Box, list_children
from modules.materials.pictures.source import Source, Unreadable

MAX_ITEMS = 10_000
MAX_SPANS = 20_000
# Where what a table says is counted from: the file, the box `idat`, or another item.
FILE, DATA_BOX = 0, 1

Span = tuple[int, int]


@dataclass
class Item:
    """What it is, and where it lies; nobody knows where if it lies in another item."""

    kind: bytes = b""
    content_type: bytes = b""
    is_packed: bool = False
    is_elsewhere: bool = False
    spans: list[Span] = field(default_factory=list)


def read_items(source: Source, boxes: list[Box]) -> list[Item]:
    """Raises `Unreadable`."""
    items: dict[int, Item] = {}
    data = next((box for box in boxes if box.name == b"idat"), None)
    for box in boxes:
        if box.name == b"iinf":
            _read_kinds(source, box, items)
        elif box.name == b"iloc":
            _read_extents(source, box, data, items)
    return list(items.values())


class _Reader:
    """Reads one number after the other."""

    def __init__(self, source: Source, box: Box) -> None:
        self.source = source
        self.position = box.start
        self.end = box.end

    def number(self, size: int) -> int:
        if self.position + size > self.end:
            raise Unreadable("it ends too early")
        self.position += size
        return self.source.number(self.position - size, size)


def _get_item(items: dict[int, Item], number: int) -> Item:
    if number not in items and len(items) >= MAX_ITEMS:
        raise Unreadable("it has too many parts")
    return items.setdefault(number, Item())


def _read_kinds(source: Source, box: Box, items: dict[int, Item]) -> None:
    version = source.number(box.start, 1)
    for entry in list_children(source, box.start + (8 if version else 6), box.end):
        reader = _Reader(source, entry)
        version_of_entry = reader.number(1)
        # The older ones are of a time when there were no pictures in such files.
        if entry.name != b"infe" or version_of_entry < 2:
            continue
        reader.number(3)
        item = _get_item(items, reader.number(2 if version_of_entry == 2 else 4))
        reader.number(2)
        item.kind = reader.number(4).to_bytes(4, "big")
        if item.kind == b"mime":
            rest = source.read(reader.position, min(entry.end - reader.position, 1024))
            _, item.content_type, packing, *_ = [*rest.split(b"\x00"), b"", b"", b""]
            item.is_packed = bool(packing)


def _read_extents(source: Source, box: Box, data: Box | None, items: dict[int, Item]) -> None:
    reader = _Reader(source, box)
    version = reader.number(1)
    reader.number(3)
    sizes = reader.number(2)
    size_of_offset, size_of_length, size_of_base = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    size_of_index = sizes & 15 if version else 0
    spans = 0
    for _ in range(reader.number(4 if version == 2 else 2)):
        item = _get_item(items, reader.number(4 if version == 2 else 2))
        counted_from = reader.number(2) & 15 if version else FILE
        is_in_another_file = reader.number(2) != 0
        base = reader.number(size_of_base)
        for _ in range(reader.number(2)):
            reader.number(size_of_index)
            start = base + reader.number(size_of_offset)
            span = _resolve_extent(source, counted_from, data, start, reader.number(size_of_length))
            spans += 1
            if spans > MAX_SPANS:
                raise Unreadable("it has too many parts")
            if span is None or is_in_another_file:
                item.is_elsewhere = True
            else:
                item.spans.append(span)


def _resolve_extent(source: Source, counted_from: int, data: Box | None, start: int, length: int) -> Span | None:
    if counted_from == FILE:
        # No length means all there is.
        end = start + length if length else source.length
        return (start, end) if end <= source.length else None
    if counted_from == DATA_BOX and data is not None:
        start += data.start
        end = start + length if length else data.end
        return (start, end) if end <= data.end else None
    return None
