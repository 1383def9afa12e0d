"""Thumbnails: JPEG pictures within metadata, which may have metadata of their own."""

import struct

from modules.materials.pictures.source import Block

START_OF_IMAGE = b"\xff\xd8"
FILL_BYTES, SCAN, END = 0xFFFF, 0xFFDA, 0xFFD9
# Metadata of every kind, which a thumbnail does not need.
METADATA = {0xFFE1, *range(0xFFE3, 0xFFEE), 0xFFEF, 0xFFFE}
MAX_SEGMENTS = 1000


def clear_metadata(block: Block) -> bool:
    """Clear all metadata of a JPEG; return whether there was any. False if the block is not a JPEG."""
    if block.length < 4 or block.read(0, 2) != START_OF_IMAGE:
        return False
    position, cleared = 2, False
    for _ in range(MAX_SEGMENTS):
        if position + 4 > block.length:
            break
        marker, length = struct.unpack(">HH", block.read(position, 4))
        if marker == FILL_BYTES:
            position += 1
            continue
        if marker >> 8 != 0xFF or marker in {SCAN, END} or length < 2:
            break
        if marker in METADATA:
            size = min(length - 2, block.length - position - 4)
            cleared = block.clear(position + 4, size) or cleared
        position += 2 + length
    return cleared
