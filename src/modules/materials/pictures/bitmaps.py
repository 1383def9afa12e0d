"""BMP, ICO, TIFF and PSD."""

import re
import struct
from collections.abc import Iterator

from modules.materials.pictures import exif, jpeg, png, resources, tiff, xmp
from modules.materials.pictures.size import Size
from modules.materials.pictures.source import Block, LocationNotRemovable, Source, Unreadable

OLDEST_HEADER_SIZE = 12
HEADER_SIZE, V5_HEADER_SIZE = 40, 124
COMPRESSED = {1, 2, 4, 5}
LARGE_DOCUMENT = 2
# The first bytes of EXIF in a photo that is embedded in a document.
EMBEDDED_EXIF = re.compile(rb"Exif\x00\x00(?:II\*\x00|MM\x00\*)")


def read_bmp_sizes(source: Source) -> Iterator[Size]:
    """Yield width and height. Raises `Unreadable`."""
    yield _read_size(source, 14)


def read_icon_sizes(source: Source) -> Iterator[Size]:
    """Yield the width and height of each picture, from its own header. Raises `Unreadable`."""
    for number in range(source.read_number(4, 2, "little")):
        position = source.read_number(6 + 16 * number + 12, 4, "little")
        if source.read(position, len(png.SIGNATURE)) == png.SIGNATURE:
            yield png.read_size(source, position + len(png.SIGNATURE))
        else:
            both = _read_size(source, position)
            # The height includes that of the mask.
            yield Size(both.width, both.height // 2)


def read_photoshop_sizes(source: Source) -> Iterator[Size]:
    """Yield width and height. Raises `Unreadable`."""
    height, width = struct.unpack(">II", source.read(14, 8))
    yield Size(width, height)


def clear_bmp_location(source: Source) -> bool:
    """Clear what follows the pixels; return whether there was anything. Raises `Unreadable`."""
    stated_size, start = source.read_number(2, 4, "little"), source.read_number(10, 4, "little")
    header_size = source.read_number(14, 4, "little")
    size, compression, compressed_size = _read_size(source, 14), 0, 0
    depth = source.read_number(24 if header_size == OLDEST_HEADER_SIZE else 28, 2, "little")
    if header_size >= HEADER_SIZE:
        compression, compressed_size = struct.unpack("<II", source.read(30, 8))
    pixels = compressed_size if compression in COMPRESSED else (size.width * depth + 31) // 32 * 4 * size.height
    profile = sum(struct.unpack("<II", source.read(14 + 112, 8))) + 14 if header_size == V5_HEADER_SIZE else 0
    if compression in COMPRESSED and not compressed_size:
        return source.clear(stated_size or source.length, source.length)
    return source.clear(max(stated_size, start + pixels, profile), source.length)


def clear_icon_location(source: Source) -> bool:
    """Clear what follows the last picture; return whether there was anything. Raises `Unreadable`."""
    entries = (6 + 16 * number + 8 for number in range(source.read_number(4, 2, "little")))
    ends = [sum(struct.unpack("<II", source.read(position, 8))) for position in entries]
    return source.clear(max(ends), source.length)


def clear_tiff_location(source: Source) -> bool:
    """Clear the location in place; return whether there was one. Raises `LocationNotRemovable` and `Unreadable`."""
    block = Block.between(source, 0, source.length)
    cleared = tiff.clear_location(block)
    for value in tiff.find_values(block, tiff.RESOURCES):
        cleared = resources.clear_location(value) or cleared
    clip = source.find(jpeg.CLIP, tiff.HEADER_SIZE, max_length=12)
    return tiff.clear_after(block, clip[0]) if clip else cleared


def clear_photoshop_location(source: Source) -> bool:
    """Clear the location in place; return whether there was one. Raises `LocationNotRemovable` and `Unreadable`."""
    position = 26 + 4 + source.read_number(26, 4)
    start, layers = position + 4, position + 4 + source.read_number(position, 4)
    cleared = resources.clear_location(Block.between(source, start, min(layers, source.length)))
    # PSB has lengths of eight bytes.
    width = 8 if source.read_number(4, 2) == LARGE_DOCUMENT else 4
    pixels = layers + width + source.read_number(layers, width)
    cleared = _clear_layers(source, layers + width, min(pixels, source.length)) or cleared
    return source.clear(_find_end_of_photoshop(source, pixels, width // 2), source.length) or cleared


def _clear_layers(source: Source, start: int, end: int) -> bool:
    """Clear the location of photos that are embedded in layers. Raises `LocationNotRemovable`."""
    cleared, position = False, start
    while (found := source.find(EMBEDDED_EXIF, position, max_length=10)) and found[1] <= end:
        position = found[1]
        cleared = exif.clear_location(Block.between(source, found[0], end)) or cleared
    if xmp.names_location(Block.between(source, start, end)):
        raise LocationNotRemovable
    return cleared


def _find_end_of_photoshop(source: Source, position: int, width: int) -> int:
    """Return where the pixels end that begin at `position`; the length of a compressed line has `width` bytes."""
    channels, height, columns, depth = map(int, struct.unpack(">HIIH", source.read(12, 12)))
    lines, compression = channels * height, source.read_number(position, 2)
    if compression == 0:
        return position + 2 + lines * ((columns * depth + 7) // 8)
    if compression != 1:
        return source.length
    end = position + 2 + width * lines
    letter = ">I" if width == 4 else ">H"
    lengths = (chunk for _, chunk in source.read_chunks(position + 2, end))
    return end + sum(int(number) for chunk in lengths for (number,) in struct.iter_unpack(letter, chunk))


def _read_size(source: Source, position: int) -> Size:
    header_size = source.read_number(position, 4, "little")
    if header_size == OLDEST_HEADER_SIZE:
        width, height = struct.unpack("<HH", source.read(position + 4, 4))
    elif header_size > OLDEST_HEADER_SIZE:
        # The height is negative if the rows begin at the top.
        width, height = struct.unpack("<ii", source.read(position + 4, 8))
    else:
        raise Unreadable("it does not say how large it is")
    return Size(abs(width), abs(height))
