"""The items of a HEIF file: `iinf` has their types, `iloc` their positions."""

from dataclasses import dataclass, field

from modules.materials.pictures.boxes import Box, list_children
from modules.materials.pictures.source import Source, Span, Unreadable

MAX_ITEMS = 10_000
MAX_SPANS = 20_000
# Construction methods of `iloc`: offsets in the file, or in the box `idat`. Others are offsets in another item.
FILE_OFFSET, IDAT_OFFSET = 0, 1


@dataclass
class Item:
    """An item; `is_external` if any of its data is in another file, in another item or outside of the file."""

    kind: bytes = b""
    content_type: bytes = b""
    is_compressed: bool = False
    is_external: bool = False
    spans: list[Span] = field(default_factory=list)


def read_items(source: Source, boxes: list[Box]) -> list[Item]:
    """Return all items with their types and spans. Raises `Unreadable`."""
    items: dict[int, Item] = {}
    data = next((box for box in boxes if box.name == b"idat"), None)
    for box in boxes:
        if box.name == b"iinf":
            _read_kinds(source, box, items)
        elif box.name == b"iloc":
            _read_extents(source, box, data, items)
    return list(items.values())


class _BoxReader:
    """Read consecutive integers within a box."""

    def __init__(self, source: Source, box: Box) -> None:
        self.source = source
        self.position = box.start
        self.end = box.end

    def read_number(self, size: int) -> int:
        if self.position + size > self.end:
            raise Unreadable("it ends too early")
        self.position += size
        return self.source.read_number(self.position - size, size)


def _get_item(items: dict[int, Item], number: int) -> Item:
    if number not in items and len(items) >= MAX_ITEMS:
        raise Unreadable("it has too many parts")
    return items.setdefault(number, Item())


def _read_kinds(source: Source, box: Box, items: dict[int, Item]) -> None:
    version = source.read_number(box.start, 1)
    for entry in list_children(source, box.start + (8 if version else 6), box.end):
        reader = _BoxReader(source, entry)
        entry_version = reader.read_number(1)
        # Versions below 2 have no item type; pictures never use them.
        if entry.name != b"infe" or entry_version < 2:
            continue
        reader.read_number(3)
        item = _get_item(items, reader.read_number(2 if entry_version == 2 else 4))
        reader.read_number(2)
        item.kind = reader.read_number(4).to_bytes(4, "big")
        if item.kind == b"mime":
            rest = source.read(reader.position, min(entry.end - reader.position, 1024))
            _, item.content_type, encoding, *_ = [*rest.split(b"\x00"), b"", b"", b""]
            item.is_compressed = bool(encoding)


def _read_extents(source: Source, box: Box, data: Box | None, items: dict[int, Item]) -> None:
    reader = _BoxReader(source, box)
    version = reader.read_number(1)
    reader.read_number(3)
    sizes = reader.read_number(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    spans = 0
    for _ in range(reader.read_number(4 if version == 2 else 2)):
        item = _get_item(items, reader.read_number(4 if version == 2 else 2))
        construction_method = reader.read_number(2) & 15 if version else FILE_OFFSET
        is_in_other_file = reader.read_number(2) != 0
        base = reader.read_number(base_size)
        for _ in range(reader.read_number(2)):
            reader.read_number(index_size)
            start = base + reader.read_number(offset_size)
            span = _resolve_extent(source, construction_method, data, start, reader.read_number(length_size))
            spans += 1
            if spans > MAX_SPANS:
                raise Unreadable("it has too many parts")
            if span is None or is_in_other_file:
                item.is_external = True
            else:
                item.spans.append(span)


def _resolve_extent(source: Source, construction_method: int, data: Box | None, start: int, length: int) -> Span | None:
    if construction_method == FILE_OFFSET:
        # A length of 0 means the whole file.
        end = start + length if length else source.length
        return (start, end) if end <= source.length else None
    if construction_method == IDAT_OFFSET and data is not None:
        start += data.start
        end = start + length if length else data.end
        return (start, end) if end <= data.end else None
    return None
