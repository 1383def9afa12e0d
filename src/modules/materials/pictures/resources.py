"""Photoshop image resources: a list of blocks, among them EXIF, XMP and thumbnails."""

from modules.materials.pictures import exif, thumbnails, xmp
from modules.materials.pictures.source import Block

NAMES = {b"8BIM", b"MeSa", b"PHUT", b"AgHg", b"DCSR"}
EXIF, XMP, THUMBNAILS = {1058, 1059}, {1060}, {1033, 1036}
THUMBNAIL_HEADER_SIZE = 28


def clear_location(block: Block) -> bool:
    """Clear the location in all resources; return whether there was one.

    Raises `LocationNotRemovable` and `Unreadable`.
    """
    cleared, position = False, 0
    while position + 12 <= block.length and block.read(position, 4) in NAMES:
        kind = int.from_bytes(block.read(position + 4, 2), "big")
        # A Pascal string, padded to an even length.
        position += 6 + (block.read(position + 6, 1)[0] + 2) // 2 * 2
        if position + 4 > block.length:
            break
        length = int.from_bytes(block.read(position, 4), "big")
        value = block.slice(position + 4, min(length, block.length - position - 4))
        if kind in EXIF:
            cleared = exif.clear_location(value) or cleared
        elif kind in XMP:
            cleared = xmp.clear_location(value) or cleared
        elif kind in THUMBNAILS and value.length > THUMBNAIL_HEADER_SIZE:
            cleared = thumbnails.clear_metadata(value.slice(THUMBNAIL_HEADER_SIZE)) or cleared
        position += 4 + length + length % 2
    return cleared
