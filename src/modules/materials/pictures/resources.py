"""What Photoshop keeps with a picture: a list of resources, EXIF and XMP among them."""

from modules.materials.pictures import exif, thumbnails, xmp
from modules.materials.pictures.source import Block

NAMES = {b"8BIM", b"MeSa", b"PHUT", b"AgHg", b"DCSR"}
EXIF, XMP, THUMBNAILS = {1058, 1059}, {1060}, {1033, 1036}
HEADER_OF_THUMBNAIL = 28


def clear_location(block: Block) -> bool:
    """Whether any resource said where the picture was taken. Raises `LocationNotRemovable` and `Unreadable`."""
    cleared, position = False, 0
    while position + 12 <= block.length and block.read(position, 4) in NAMES:
        kind = int.from_bytes(block.read(position + 4, 2), "big")
        # A name, its length before it, both padded to an even number.
        position += 6 + (block.read(position + 6, 1)[0] + 2) // 2 * 2
        if position + 4 > block.length:
            break
        length = int.from_bytes(block.read(position, 4), "big")
        value = block.part(position + 4, min(length, block.length - position - 4))
        if kind in EXIF:
            cleared = exif.clear_location(value) or cleared
        elif kind in XMP:
            cleared = xmp.clear_location(value) or cleared
        elif kind in THUMBNAILS and value.length > HEADER_OF_THUMBNAIL:
            cleared = thumbnails.clear_descriptions(value.part(HEADER_OF_THUMBNAIL)) or cleared
        position += 4 + length + length % 2
    return cleared
