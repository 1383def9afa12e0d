"""EXIF: a TIFF without pixels that is embedded in other formats, in some with a prefix."""

from modules.materials.pictures import tiff
from modules.materials.pictures.source import Block, Unreadable

PREFIX = b"Exif\x00\x00"


def clear_location(block: Block) -> bool:
    """Clear the location and the maker notes, which may contain it; return whether there was any.

    False if the block is not EXIF. Raises `LocationNotRemovable`, and `Unreadable` for too many directories.
    """
    start = len(PREFIX) if block.length >= len(PREFIX) and block.read(0, len(PREFIX)) == PREFIX else 0
    if not begins_tiff(block.slice(start)):
        return False
    return tiff.clear_location(block.slice(start), maker_notes=True)


def begins_tiff(block: Block) -> bool:
    """Return whether the block begins with the header of a TIFF."""
    try:
        tiff.Tiff(block)
    except Unreadable:
        return False
    return True
