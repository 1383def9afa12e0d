"""BMP, icons and Photoshop's documents: their headers say how large they are."""

import struct
from collections.abc import Iterator

from modules.materials.pictures import exif, png, xmp
from modules.materials.pictures.size import Size
from modules.materials.pictures.source import Block, Source, Unreadable

OLDEST_HEADER_SIZE = 12
RESOURCE_EXIF, RESOURCE_XMP = {1058, 1059}, {1060}


def sizes_of_bmp(source: Source) -> Iterator[Size]:
    """Raises `Unreadable`."""
    yield _size_at(source, 14)


def sizes_of_icon(source: Source) -> Iterator[Size]:
    """Width and height of each picture, whatever the list of them says. Raises `Unreadable`."""
    for number in range(source.number(4, 2, "little")):
        position = source.number(6 + 16 * number + 12, 4, "little")
        if source.read(position, len(png.SIGNATURE)) == png.SIGNATURE:
            yield png.size_at(source, position + len(png.SIGNATURE))
        else:
            both = _size_at(source, position)
            # Below the picture is its mask.
            yield Size(both.width, both.height // 2)


def sizes_of_photoshop(source: Source) -> Iterator[Size]:
    """Raises `Unreadable`."""
    height, width = struct.unpack(">II", source.read(14, 8))
    yield Size(width, height)


def clear_location_of_photoshop(source: Source) -> bool:
    """Raises `LocationStays` and `Unreadable`."""
    cleared = False
    position = 26 + 4 + source.number(26, 4)
    end = position + 4 + source.number(position, 4)
    position += 4
    while position + 12 <= end:
        kind = source.number(position + 4, 2)
        # A name, its length before it, both padded to an even number.
        position += 6 + (source.number(position + 6, 1) + 2) // 2 * 2
        length = source.number(position, 4)
        block = Block.between(source, position + 4, min(position + 4 + length, end))
        if kind in RESOURCE_EXIF:
            cleared = exif.clear_location(block) or cleared
        elif kind in RESOURCE_XMP:
            cleared = xmp.clear_location(block) or cleared
        position += 4 + length + length % 2
    return cleared


def _size_at(source: Source, position: int) -> Size:
    header_size = source.number(position, 4, "little")
    if header_size == OLDEST_HEADER_SIZE:
        width, height = struct.unpack("<HH", source.read(position + 4, 4))
    elif header_size > OLDEST_HEADER_SIZE:
        # A height below zero is that of a picture whose lines begin at the top.
        width, height = struct.unpack("<ii", source.read(position + 4, 8))
    else:
        raise Unreadable("it does not say how large it is")
    return Size(abs(width), abs(height))
