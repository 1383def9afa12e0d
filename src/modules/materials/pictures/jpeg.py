"""JPEG, and several in one file: a list of segments, each behind a marker."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from modules.materials.pictures import exif, xmp
from modules.materials.pictures.size import Size
from modules.materials.pictures.source import Block, Source

# Zeros and the markers of a restart are within the pixels.
MARKER = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
NEXT_PICTURE = re.compile(rb"\xff\xd8\xff[\xc0-\xfe]")
START, END, APPLICATION_1 = 0xD8, 0xD9, 0xE1
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}

PACKET = b"http://ns.adobe.com/xap/1.0/\x00"
# A packet that is too long for one segment goes on in others, each behind a name, a length and a position.
MORE_OF_PACKET = b"http://ns.adobe.com/xmp/extension/\x00"
HEADER_OF_MORE = 32 + 4 + 4


@dataclass(frozen=True)
class Segment:
    marker: int
    start: int
    end: int


def sizes(source: Source) -> Iterator[Size]:
    """Width and height of every picture. Raises `Unreadable`."""
    for segment in _segments(source):
        if segment.marker in FRAMES and segment.end - segment.start >= 6:
            precision, height, width, components = struct.unpack(">BHHB", source.read(segment.start, 6))
            # Behind the first picture may be what is none, and looks like one here and there.
            if 2 <= precision <= 16 and segment.end - segment.start == 6 + 3 * components:
                yield Size(width, height)


def clear_location(source: Source) -> bool:
    """Raises `LocationStays` and `Unreadable`."""
    segments = [segment for segment in _segments(source) if segment.marker == APPLICATION_1]
    cleared = False
    for block in _blocks_of_exif(source, segments):
        cleared = exif.clear_location(block) or cleared
    for block in _packets(source, segments):
        cleared = xmp.clear_location(block) or cleared
    return cleared


def _segments(source: Source) -> Iterator[Segment]:
    position = 2
    while found := source.find(MARKER, position, longest=2):
        marker = source.read(found[1] - 1, 1)[0]
        position = found[1]
        if marker == END:
            following = source.find(NEXT_PICTURE, position, longest=4)
            if following is None:
                return
            position = following[0] + 2
        elif marker != START:
            length = source.number(position, 2) if position + 2 <= source.length else 0
            end = position + length
            if length < 2 or end > source.length:
                # What comes behind it is nothing for any reader.
                return
            yield Segment(marker, position + 2, end)
            position = end


def _behind(beginning: bytes, source: Source, segments: list[Segment], *, skip: int = 0) -> Iterator[Block]:
    """What follows in the segments that begin so."""
    for segment in segments:
        start = segment.start + len(beginning) + skip
        if start < segment.end and source.read(segment.start, len(beginning)) == beginning:
            yield Block.between(source, start, segment.end)


def _blocks_of_exif(source: Source, segments: list[Segment]) -> list[Block]:
    """Each a block of its own; a segment that begins in the middle goes on with the one before."""
    blocks: list[Block] = []
    for following in _behind(exif.PREFIX, source, segments):
        if blocks and not exif.begins(following):
            blocks[-1] = Block(source, blocks[-1].spans + following.spans)
        else:
            blocks.append(following)
    return blocks


def _packets(source: Source, segments: list[Segment]) -> Iterator[Block]:
    yield from _behind(PACKET, source, segments)
    more = [span for block in _behind(MORE_OF_PACKET, source, segments, skip=HEADER_OF_MORE) for span in block.spans]
    if more:
        yield Block(source, tuple(more))
