"""Small pictures within pictures, which are JPEG and may say of themselves where they were taken."""

import struct

from modules.materials.pictures.source import Block

BEGINNING = b"\xff\xd8"
FILLER, SCAN, END = 0xFFFF, 0xFFDA, 0xFFD9
# Descriptions of every kind: nobody misses them in a thumbnail.
DESCRIPTIONS = {0xFFE1, *range(0xFFE3, 0xFFEE), 0xFFEF, 0xFFFE}
MAX_SEGMENTS = 1000


def clear_descriptions(block: Block) -> bool:
    """Empty what a JPEG says besides its pixels; whether it said anything. What is no JPEG says nothing."""
    if block.length < 4 or block.read(0, 2) != BEGINNING:
        return False
    position, cleared = 2, False
    for _ in range(MAX_SEGMENTS):
        if position + 4 > block.length:
            break
        marker, length = struct.unpack(">HH", block.read(position, 4))
        if marker == FILLER:
            position += 1
            continue
        if marker >> 8 != 0xFF or marker in {SCAN, END} or length < 2:
            break
        if marker in DESCRIPTIONS:
            size = min(length - 2, block.length - position - 4)
            cleared = block.clear(position + 4, size) or cleared
        position += 2 + length
    return cleared
