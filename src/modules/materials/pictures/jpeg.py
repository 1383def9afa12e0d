"""JPEG, and several of them in one file (MPF): a list of segments, each after its marker."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from modules.materials.pictures import exif, resources, thumbnails, xmp
from modules.materials.pictures.size import Size
from modules.materials.pictures.source import Block, Source

# Stuffed zeros and restart markers belong to the pixels.
MARKER = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
NEXT_PICTURE = re.compile(rb"\xff\xd8\xff[\xc0-\xfe]")
# The video that phones append to a picture ("motion photo"). This pattern does not occur within a picture.
CLIP = re.compile(rb"\x00\x00\x00[\x08-\xff]ftyp[\x20-\x7e]{4}")
START, END, SCAN, COMMENT = 0xD8, 0xD9, 0xDA, 0xFE
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
APPLICATIONS = range(0xE0, 0xF0)
APPLICATION_0, APPLICATION_1, APPLICATION_2, APPLICATION_11, APPLICATION_13 = 0xE0, 0xE1, 0xE2, 0xEB, 0xED
# Resolution (JFIF) and color transform (Adobe).
HARMLESS = {APPLICATION_0, 0xEE}
# Color profile, list of the pictures in the file, HDR gain map.
HARMLESS_APPLICATION_2 = (b"ICC_PROFILE\x00", b"MPF\x00", b"urn:iso:std:iso:ts:21496")

PACKET = b"http://ns.adobe.com/xap/1.0/\x00"
# A packet that exceeds one segment continues in others, each after a GUID, a length and an offset.
EXTENDED_PACKET = b"http://ns.adobe.com/xmp/extension/\x00"
EXTENDED_PACKET_HEADER_SIZE = 32 + 4 + 4
THUMBNAIL = b"JFXX\x00\x10"
PHOTOSHOP = b"Photoshop 3.0\x00"


@dataclass(frozen=True)
class Segment:
    marker: int
    start: int
    end: int


@dataclass
class Picture:
    """One of the pictures of a file; `is_whole` unless it is truncated."""

    start: int
    end: int = 0
    is_whole: bool = False
    segments: list[Segment] = field(default_factory=list)

    def find_segments(self, *markers: int) -> list[Segment]:
        return [segment for segment in self.segments if segment.marker in markers]


def read_sizes(source: Source) -> Iterator[Size]:
    """Yield the width and height of every picture. Raises `Unreadable`."""
    for picture in _read_pictures(source, source.length):
        yield from _read_sizes(source, picture)


def clear_location(source: Source) -> bool:
    """Clear the location of every picture, and all data between and after them; return whether there was any.

    Raises `LocationNotRemovable` and `Unreadable`.
    """
    scans = _read_picture(source, 0, source.length).find_segments(SCAN)
    clip = source.find(CLIP, scans[0].end if scans else 2, max_length=12)
    cleared, position = False, 0
    for picture in _read_pictures(source, clip[0] if clip else source.length):
        is_first = picture.start == 0
        if is_first or (picture.is_whole and picture.find_segments(SCAN) and any(_read_sizes(source, picture))):
            cleared = source.clear(position, picture.start) or cleared
            cleared = _clear_picture(source, picture) or cleared
            position = picture.end
    return source.clear(position, source.length) or cleared


def _read_pictures(source: Source, end: int) -> Iterator[Picture]:
    """Yield whatever begins like a picture before the position `end`."""
    found: tuple[int, int] | None = (0, 0)
    while found and found[0] < end:
        picture = _read_picture(source, found[0], end)
        yield picture
        # A truncated one may contain another.
        found = source.find(NEXT_PICTURE, picture.end if picture.is_whole else picture.start + 2, max_length=4)


def _read_picture(source: Source, start: int, bound: int) -> Picture:
    picture, position = Picture(start, bound), start + 2
    while (found := source.find(MARKER, position, max_length=2)) and found[1] <= bound:
        marker, position = source.read(found[1] - 1, 1)[0], found[1]
        if marker == END:
            picture.end, picture.is_whole = position, True
            break
        if marker == START:
            continue
        length = source.read_number(position, 2) if position + 2 <= source.length else 0
        if length < 2 or position + length > bound:
            # Readers stop here.
            break
        picture.segments.append(Segment(marker, position + 2, position + length))
        position += length
    return picture


def _read_sizes(source: Source, picture: Picture) -> Iterator[Size]:
    for segment in picture.find_segments(*FRAMES):
        if segment.end - segment.start < 6:
            continue
        precision, height, width, components = struct.unpack(">BHHB", source.read(segment.start, 6))
        # Data after the first picture may resemble a frame by chance.
        if 2 <= precision <= 16 and segment.end - segment.start == 6 + 3 * components:
            yield Size(width, height)


def _clear_picture(source: Source, picture: Picture) -> bool:
    """Clear the location in known metadata, and unknown segments as a whole; return whether there was any."""
    cleared = False
    exif_blocks = _find_blocks(exif.PREFIX, source, picture, APPLICATION_1)
    packets = _find_blocks(PACKET, source, picture, APPLICATION_1)
    extended_packets = _find_blocks(EXTENDED_PACKET, source, picture, APPLICATION_1, skip=EXTENDED_PACKET_HEADER_SIZE)
    photoshop_blocks = _find_blocks(PHOTOSHOP, source, picture, APPLICATION_13)
    for block in _join_split_exif(exif_blocks):
        cleared = exif.clear_location(block) or cleared
    for block in _find_blocks(THUMBNAIL, source, picture, APPLICATION_0):
        cleared = thumbnails.clear_metadata(block) or cleared
    for block in [*packets, *_concatenate(extended_packets)]:
        cleared = xmp.clear_location(block) or cleared
    for block in _concatenate(photoshop_blocks):
        cleared = resources.clear_location(block) or cleared
    known = {block.spans[-1][1] for block in (*exif_blocks, *packets, *extended_packets, *photoshop_blocks)}
    for segment in picture.find_segments(*APPLICATIONS, COMMENT):
        if segment.end not in known and not _is_harmless(source, segment):
            cleared = source.clear(segment.start, segment.end) or cleared
    return _clear_provenance(source, picture) or cleared


def _is_harmless(source: Source, segment: Segment) -> bool:
    if segment.marker in HARMLESS | {APPLICATION_11}:
        return True
    if segment.marker == APPLICATION_2:
        beginning = source.read(segment.start, min(segment.end - segment.start, 32))
        return beginning.startswith(HARMLESS_APPLICATION_2)
    return segment.marker == COMMENT and not xmp.names_location(Block.between(source, segment.start, segment.end))


def _clear_provenance(source: Source, picture: Picture) -> bool:
    """Clear the provenance (C2PA in JUMBF) of a picture if it contains a location; return whether it did."""
    segments = picture.find_segments(APPLICATION_11)
    blocks = [Block.between(source, segment.start, segment.end) for segment in segments]
    if not any(xmp.names_location(block) for block in _concatenate(blocks)):
        return False
    return sum(source.clear(segment.start, segment.end) for segment in segments) > 0


def _find_blocks(prefix: bytes, source: Source, picture: Picture, marker: int, *, skip: int = 0) -> list[Block]:
    """Return the blocks after `prefix`, and after `skip` more bytes, in the segments that begin with it."""
    blocks = []
    for segment in picture.find_segments(marker):
        start = segment.start + len(prefix) + skip
        if start <= segment.end and source.read(segment.start, len(prefix)) == prefix:
            blocks.append(Block.between(source, start, segment.end))
    return blocks


def _join_split_exif(blocks: list[Block]) -> list[Block]:
    """Join a block that does not begin with a TIFF header to the one before it, which it continues."""
    joined: list[Block] = []
    for following in blocks:
        if joined and not exif.begins_tiff(following):
            joined[-1] = Block(following.source, joined[-1].spans + following.spans)
        else:
            joined.append(following)
    return joined


def _concatenate(blocks: list[Block]) -> list[Block]:
    return [Block(blocks[0].source, tuple(span for block in blocks for span in block.spans))] if blocks else []
