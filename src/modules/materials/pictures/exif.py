"""EXIF: a TIFF without pixels that other formats carry, some with a word in front."""

from modules.materials.pictures import tiff
from modules.materials.pictures.source import Block, Unreadable

PREFIX = b"Exif\x00\x00"


def clear_location(block: Block) -> bool:
    """Clear the place that a picture was taken at, and what its camera notes for itself, which may be one; whether
    there was anything of that. What is no EXIF has none.

    Raises `LocationNotRemovable`, and `Unreadable` where there is too much of it.
    """
    start = len(PREFIX) if block.length >= len(PREFIX) and block.read(0, len(PREFIX)) == PREFIX else 0
    if not begins_tiff(block.part(start)):
        return False
    return tiff.clear_location(block.part(start), maker_notes=True)


def begins_tiff(block: Block) -> bool:
    """Whether a TIFF begins here."""
    try:
        tiff.Tiff(block)
    except Unreadable:
        return False
    return True
