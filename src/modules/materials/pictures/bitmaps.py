"""BMP, icons, TIFF and Photoshop's documents."""

import re
import struct
from collections.abc import Iterator

from modules.materials.pictures import exif, jpeg, png, resources, tiff, xmp
from modules.materials.pictures.size import Size
from modules.materials.pictures.source import Block, LocationNotRemovable, Source, Unreadable

OLDEST_HEADER_SIZE = 12
HEADER_SIZE, V5_HEADER_SIZE = 40, 124
PACKED = {1, 2, 4, 5}
LARGE_DOCUMENT = 2
# How EXIF begins in a photo within a document.
PLACED = re.compile(rb"Exif\x00\x00(?:II\*\x00|MM\x00\*)")


def read_sizes_of_bmp(source: Source) -> Iterator[Size]:
    """Yield width and height. Raises `Unreadable`."""
    yield _read_size(source, 14)


def read_sizes_of_icon(source: Source) -> Iterator[Size]:
    """Width and height of each picture, whatever the list of them says. Raises `Unreadable`."""
    for number in range(source.number(4, 2, "little")):
        position = source.number(6 + 16 * number + 12, 4, "little")
        if source.read(position, len(png.SIGNATURE)) == png.SIGNATURE:
            yield png.read_size(source, position + len(png.SIGNATURE))
        else:
            both = _read_size(source, position)
            # Below the picture is its mask.
            yield Size(both.width, both.height // 2)


def read_sizes_of_photoshop(source: Source) -> Iterator[Size]:
    """Yield width and height. Raises `Unreadable`."""
    height, width = struct.unpack(">II", source.read(14, 8))
    yield Size(width, height)


def clear_location_of_bmp(source: Source) -> bool:
    """Behind the pixels may be anything. Raises `Unreadable`."""
    said, start = source.number(2, 4, "little"), source.number(10, 4, "little")
    header_size = source.number(14, 4, "little")
    size, compression, packed = _read_size(source, 14), 0, 0
    depth = source.number(24 if header_size == OLDEST_HEADER_SIZE else 28, 2, "little")
    if header_size >= HEADER_SIZE:
        compression, packed = struct.unpack("<II", source.read(30, 8))
    pixels = packed if compression in PACKED else (size.width * depth + 31) // 32 * 4 * size.height
    profile = sum(struct.unpack("<II", source.read(14 + 112, 8))) + 14 if header_size == V5_HEADER_SIZE else 0
    if compression in PACKED and not packed:
        return source.clear(said or source.length, source.length)
    return source.clear(max(said, start + pixels, profile), source.length)


def clear_location_of_icon(source: Source) -> bool:
    """Behind the last picture may be anything. Raises `Unreadable`."""
    entries = (6 + 16 * number + 8 for number in range(source.number(4, 2, "little")))
    ends = [sum(struct.unpack("<II", source.read(position, 8))) for position in entries]
    return source.clear(max(ends), source.length)


def clear_location_of_tiff(source: Source) -> bool:
    """Clear the location in place; return whether there was one. Raises `LocationNotRemovable` and `Unreadable`."""
    block = Block.between(source, 0, source.length)
    cleared = tiff.clear_location(block)
    for value in tiff.find_values(block, tiff.RESOURCES):
        cleared = resources.clear_location(value) or cleared
    clip = source.find(jpeg.CLIP, tiff.HEADER_SIZE, longest=12)
    return tiff.clear_behind(block, clip[0]) if clip else cleared


def clear_location_of_photoshop(source: Source) -> bool:
    """Clear the location in place; return whether there was one. Raises `LocationNotRemovable` and `Unreadable`."""
    position = 26 + 4 + source.number(26, 4)
    start, layers = position + 4, position + 4 + source.number(position, 4)
    cleared = resources.clear_location(Block.between(source, start, min(layers, source.length)))
    # The larger kind of document has longer numbers.
    width = 8 if source.number(4, 2) == LARGE_DOCUMENT else 4
    pixels = layers + width + source.number(layers, width)
    cleared = _clear_layers(source, layers + width, min(pixels, source.length)) or cleared
    return source.clear(_find_end_of_photoshop(source, pixels, width // 2), source.length) or cleared


def _clear_layers(source: Source, start: int, end: int) -> bool:
    """Photos that were placed in a document are in it as they were. Raises `LocationNotRemovable`."""
    cleared, position = False, start
    while (found := source.find(PLACED, position, longest=10)) and found[1] <= end:
        position = found[1]
        cleared = exif.clear_location(Block.between(source, found[0], end)) or cleared
    if xmp.names_location(Block.between(source, start, end)):
        raise LocationNotRemovable
    return cleared


def _find_end_of_photoshop(source: Source, position: int, width: int) -> int:
    """Where the pixels end that begin there; `width` is that of the length of a packed line."""
    channels, height, columns, depth = map(int, struct.unpack(">HIIH", source.read(12, 12)))
    lines, compression = channels * height, source.number(position, 2)
    if compression == 0:
        return position + 2 + lines * ((columns * depth + 7) // 8)
    if compression != 1:
        return source.length
    end = position + 2 + width * lines
    letter = ">I" if width == 4 else ">H"
    lengths = (piece for _, piece in source.chunks(position + 2, end))
    return end + sum(int(number) for piece in lengths for (number,) in struct.iter_unpack(letter, piece))


def _read_size(source: Source, position: int) -> Size:
    header_size = source.number(position, 4, "little")
    if header_size == OLDEST_HEADER_SIZE:
        width, height = struct.unpack("<HH", source.read(position + 4, 4))
    elif header_size > OLDEST_HEADER_SIZE:
        # A height below zero is that of a picture whose lines begin at the top.
        width, height = struct.unpack("<ii", source.read(position + 4, 8))
    else:
        raise Unreadable("it does not say how large it is")
    return Size(abs(width), abs(height))
