"""HEIC, HEIF, AVIF and JPEG 2000."""

import struct
from collections.abc import Iterator

from modules.materials.pictures import exif, xmp
from modules.materials.pictures.boxes import Box, replace_with_free_space, walk_boxes
from modules.materials.pictures.items import Item, read_items
from modules.materials.pictures.size import Size
from modules.materials.pictures.source import Block, LocationNotRemovable, Source, Unreadable

# More than any ordinary picture has.
MAX_BOXES = 20_000
SPANS_PER_MICROSECOND = 10
# Items whose content may be any text.
METADATA_ITEMS = {b"mime", b"uri "}
# Derived images, and the length of their header before width and height.
SIZE_OFFSETS = {b"grid": 4, b"iovl": 10}
XMP_TYPE = b"application/rdf+xml"
XMP_IN_JPEG_2000 = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
EXIF_IN_JPEG_2000 = b"JpgTiffExif->JP2"
# The boxes of a picture. Others may contain a location, such as the video that phones append.
PICTURE_BOXES = {b"ftyp", b"meta", b"mdat", b"moov", b"idat", b"jP  ", b"jp2h", b"jp2c"}
# The boxes of an image sequence.
MOVIE_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}
MOVIE_METADATA = {b"udta", b"meta", b"uuid"}
CODESTREAM = b"\xff\x4f\xff\x51"


def read_sizes(source: Source) -> Iterator[Size]:
    """Yield the width and height of pictures, tiles and thumbnails, then of all frames. Raises `Unreadable`."""
    boxes = _read_boxes(source)
    found = [size for box in boxes if (size := _read_size_in_box(source, box))]
    found += [size for item in read_items(source, boxes) if (size := _read_size_in_item(source, item))]
    yield from found
    frames = sum(source.read_number(box.start + 8, 4) for box in boxes if box.name == b"stsz")
    if found and frames:
        yield Size(max(size.width for size in found), max(size.height for size in found), frames)


def clear_location(source: Source) -> bool:
    """Clear the location in place; return whether there was one. Raises `LocationNotRemovable` and `Unreadable`."""
    boxes = _read_boxes(source)
    items = read_items(source, boxes)
    cleared = False
    for item in items:
        if item.kind == b"Exif" or item.content_type == XMP_TYPE:
            cleared = _clear_item(_get_block(source, item, items, boxes), item) or cleared
        elif item.kind in METADATA_ITEMS and xmp.names_location(Block(source, tuple(item.spans))):
            block = _get_block(source, item, items, boxes)
            cleared = block.clear(0, block.length) or cleared
    for box in boxes:
        if box.name == b"uuid" and box.end - box.start > 16:
            cleared = _clear_uuid_box(source, box) or cleared
    spans = [span for item in items for span in item.spans]
    end = 0
    for box in _find_removable_boxes(source, boxes):
        if box.position < end:
            # Its parent was cleared already.
            continue
        end = box.end
        source.charge(len(spans) // SPANS_PER_MICROSECOND)
        if any(start < box.end and box.position < end for start, end in spans):
            raise LocationNotRemovable
        cleared = replace_with_free_space(source, box) or cleared
    if not any(box.name == b"moov" for box in boxes):
        cleared = _clear_gaps(source, boxes, items) or cleared
    # Trailing bytes that are too short for a box.
    return source.clear(max((box.end for box in boxes), default=source.length), source.length) or cleared


def _find_removable_boxes(source: Source, boxes: list[Box]) -> Iterator[Box]:
    """Yield boxes that are not part of the picture, or metadata that no parser here reads.

    A second `ftyp` begins another file.
    """
    beginnings = 0
    for box in boxes:
        is_outermost = not box.parent
        beginnings += is_outermost and box.name == b"ftyp"
        if is_outermost:
            is_known = box.name in PICTURE_BOXES or _is_known_description(source, box)
            if beginnings > 1 or not is_known:
                yield box
        elif box.parent in MOVIE_CONTAINERS and box.name in MOVIE_METADATA:
            yield box


def _clear_gaps(source: Source, boxes: list[Box], items: list[Item]) -> bool:
    """Clear what lies between the items; return whether there was anything."""
    cleared = False
    spans = sorted(span for item in items for span in item.spans)
    if not spans or any(item.is_external for item in items):
        return False
    for box in boxes:
        if box.name == b"mdat" and not box.parent:
            source.charge(len(spans) // SPANS_PER_MICROSECOND)
            position = box.start
            for start, end in spans:
                if position < end and start < box.end:
                    cleared = source.clear(position, max(start, position)) or cleared
                    position = end
            cleared = source.clear(position, box.end) or cleared
    return cleared


def _read_boxes(source: Source) -> list[Box]:
    boxes = []
    for box in walk_boxes(source):
        boxes.append(box)
        if len(boxes) > MAX_BOXES:
            raise Unreadable("it has too many parts")
    return boxes


def _read_size_in_box(source: Source, box: Box) -> Size | None:
    if box.name == b"ispe":
        return Size(*struct.unpack(">II", source.read(box.start + 4, 8)))
    if box.name == b"ihdr" and box.parent == b"jp2h":
        height, width = struct.unpack(">II", source.read(box.start, 8))
        return Size(width, height)
    if box.parent == b"stsd":
        return Size(*struct.unpack(">HH", source.read(box.start + 24, 4)))
    if box.name == b"jp2c" and source.read(box.start, 4) == CODESTREAM:
        right, bottom, left, top = struct.unpack(">IIII", source.read(box.start + 8, 16))
        return Size(max(right - left, 0), max(bottom - top, 0))
    return None


def _read_size_in_item(source: Source, item: Item) -> Size | None:
    if item.kind not in SIZE_OFFSETS:
        return None
    block = Block(source, tuple(item.spans))
    numbers = ">II" if block.read(1, 1)[0] & 1 else ">HH"
    start = SIZE_OFFSETS[item.kind]
    return Size(*struct.unpack(numbers, block.read(start, struct.calcsize(numbers))))


def _get_block(source: Source, item: Item, items: list[Item], boxes: list[Box]) -> Block:
    """Return the block of a metadata item. Raises `LocationNotRemovable` if it overlaps with other data."""
    if item.is_external:
        raise LocationNotRemovable
    pixels = [span for other in items if other.kind not in {b"Exif", b"mime"} for span in other.spans]
    data_boxes = [(box.start, box.end) for box in boxes if box.name in {b"mdat", b"idat"}]
    for start, end in item.spans:
        is_in_data_box = any(first <= start and end <= last for first, last in data_boxes)
        if not is_in_data_box or any(first < end and start < last for first, last in pixels):
            raise LocationNotRemovable
    return Block(source, tuple(item.spans))


def _clear_item(block: Block, item: Item) -> bool:
    if item.content_type == XMP_TYPE:
        if item.is_compressed:
            block.clear(0, block.length)
            return True
        return xmp.clear_location(block)
    if block.length < 4:
        return False
    # The first four bytes are the offset of the EXIF, which some writers get wrong.
    offset = int.from_bytes(block.read(0, 4), "big")
    cleared = False
    for start in sorted({4, min(4 + offset, block.length)}):
        cleared = exif.clear_location(block.slice(start)) or cleared
    return cleared


def _clear_uuid_box(source: Source, box: Box) -> bool:
    name, block = source.read(box.start, 16), Block.between(source, box.start + 16, box.end)
    if name == XMP_IN_JPEG_2000:
        return xmp.clear_location(block)
    return name == EXIF_IN_JPEG_2000 and exif.clear_location(block)


def _is_known_description(source: Source, box: Box) -> bool:
    if box.name != b"uuid" or box.end - box.start <= 16:
        return False
    return source.read(box.start, 16) in {XMP_IN_JPEG_2000, EXIF_IN_JPEG_2000}
