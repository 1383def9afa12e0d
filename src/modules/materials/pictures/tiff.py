"""TIFF, which EXIF uses too: directories of entries that point to one another.

Directories that cannot be read are skipped, as every reader does.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from modules.materials.pictures import thumbnails, xmp
from modules.materials.pictures.size import Size
from modules.materials.pictures.source import Block, LocationNotRemovable, Span, Unreadable

WIDTH, HEIGHT = 0x0100, 0x0101
STRIPS, STRIP_SIZES = 0x0111, 0x0117
TILES, TILE_SIZES = 0x0144, 0x0145
THUMBNAIL, THUMBNAIL_SIZE = 0x0201, 0x0202
SUBDIRECTORIES, EXIF, INTEROPERABILITY = 0x014A, 0x8769, 0xA005
XMP, LOCATION, RESOURCES = 0x02BC, 0x8825, 0x8649
MAKER_NOTE = 0x927C
# GeoTIFF: the coordinates of a map.
GEO_TAGS = {0x830E, 0x8482, 0x85D8}
PIXELS = ((STRIPS, STRIP_SIZES), (TILES, TILE_SIZES), (THUMBNAIL, THUMBNAIL_SIZE))
POINTERS = {SUBDIRECTORIES, EXIF, INTEROPERABILITY}
OF_INTEREST = (
    POINTERS
    | GEO_TAGS
    | {WIDTH, HEIGHT, XMP, LOCATION, RESOURCES, MAKER_NOTE}
    | {tag for pair in PIXELS for tag in pair}
)

HEADER_SIZE = 8
ENTRY_SIZE = 12
# The size of a value in bytes, by the number of its type.
SIZES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)
NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I"}
# More than an ordinary file has, even one of many pages or tiles.
MAX_DIRECTORIES = 2000
MAX_ENTRIES_OF_INTEREST = 20_000
MAX_LOCATION_ENTRIES = 100
MAX_SUBDIRECTORIES = 100
MAX_STRIPS = 100_000
# Maker notes are proprietary; those of other makers may contain a location.
MAKERS_WITHOUT_LOCATION = b"Apple iOS\x00"


@dataclass(frozen=True, slots=True)
class Entry:
    """A field of a directory: `count` values of the type `kind` at `position`."""

    tag: int
    kind: int
    count: int
    position: int

    @property
    def size(self) -> int:
        return self.count * (SIZES[self.kind] if self.kind < len(SIZES) else 1)


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory (IFD) at `position` with `count` entries, of which `entries` has those that were asked for.

    `following` is the position of the next directory.
    """

    position: int
    count: int
    following: int
    entries: list[Entry]

    @property
    def span(self) -> Span:
        return self.position, self.position + 2 + ENTRY_SIZE * self.count

    def find_entries(self, *tags: int) -> list[Entry]:
        return [entry for entry in self.entries if entry.tag in tags]


class Tiff:
    """A block that begins with the header of a TIFF. Raises `Unreadable` where it does not."""

    def __init__(self, block: Block) -> None:
        self.block = block
        header = block.read(0, HEADER_SIZE)
        if header[:4] not in {b"II*\x00", b"MM\x00*"}:
            raise Unreadable("it does not begin as it has to")
        self.order = "<" if header.startswith(b"II") else ">"
        self.first = struct.unpack(f"{self.order}I", header[4:])[0]

    def walk_directories(self) -> Iterator[Directory]:
        """Yield each directory once, including those that entries point to, but not that of the GPS location.

        Raises `Unreadable` if there are too many.
        """
        pending, seen, of_interest = [self.first], {0}, 0
        while pending:
            position = pending.pop()
            if position in seen:
                continue
            seen.add(position)
            directory = self.read_directory(position, OF_INTEREST)
            if directory is None:
                continue
            of_interest += len(directory.entries)
            if len(seen) > MAX_DIRECTORIES or of_interest > MAX_ENTRIES_OF_INTEREST:
                raise Unreadable("it has too many parts")
            yield directory
            pending.append(directory.following)
            for entry in directory.find_entries(*POINTERS):
                pending += self.read_numbers(entry, max_count=MAX_SUBDIRECTORIES)

    def read_directory(self, position: int, tags: set[int] | None = None) -> Directory | None:
        """Read the directory at `position`, with the entries of these tags, by default all; `None` if there is none."""
        block = self.block
        if position + 2 > block.length:
            return None
        stated_count = struct.unpack(f"{self.order}H", block.read(position, 2))[0]
        count = min(stated_count, (block.length - position - 2) // ENTRY_SIZE)
        raw = block.read(position + 2, count * ENTRY_SIZE)
        block.source.charge(count)
        entries = []
        for index, (tag, kind, number, value) in enumerate(struct.iter_unpack(f"{self.order}HHII", raw)):
            if tags is None or tag in tags:
                entry = Entry(tag, kind, number, position + 2 + ENTRY_SIZE * index + 8)
                entries.append(entry if entry.size <= 4 else Entry(tag, kind, number, value))
        end = position + 2 + ENTRY_SIZE * count
        following = struct.unpack(f"{self.order}I", block.read(end, 4))[0] if end + 4 <= block.length else 0
        return Directory(position, count, following, entries)

    def read_numbers(self, entry: Entry, *, max_count: int) -> list[int]:
        """Read up to `max_count` values of an entry; none if they are not integers or lie outside of the block."""
        letter = NUMBERS.get(entry.kind)
        count = min(entry.count, max_count)
        if letter is None or entry.position + count * SIZES[entry.kind] > self.block.length:
            return []
        raw = self.block.read(entry.position, count * SIZES[entry.kind])
        return list(struct.unpack(f"{self.order}{count}{letter}", raw))


def read_sizes(block: Block) -> Iterator[Size]:
    """Yield the width and height of each page. Raises `Unreadable`."""
    tiff = Tiff(block)
    for directory in tiff.walk_directories():
        widths, heights = (
            [number for entry in directory.find_entries(tag) for number in tiff.read_numbers(entry, max_count=1)]
            for tag in (WIDTH, HEIGHT)
        )
        if widths and heights:
            # Readers differ in which of several entries they use.
            yield Size(max(widths), max(heights))


def find_values(block: Block, tag: int) -> list[Block]:
    """Return the values of a tag in all directories. Raises `Unreadable`."""
    entries = _find_entries(list(Tiff(block).walk_directories()), tag)
    return [block.slice(entry.position, entry.size) for entry in entries if entry.position + entry.size <= block.length]


def clear_location(block: Block, *, maker_notes: bool = False) -> bool:
    """Clear the location, and with `maker_notes` those too; return whether there was any.

    Raises `LocationNotRemovable` if that would damage other data, and `Unreadable`.
    """
    tiff = Tiff(block)
    directories = list(tiff.walk_directories())
    cleared = _clear_locations(tiff, directories, maker_notes=maker_notes)
    for thumbnail in _find_thumbnails(tiff, directories):
        cleared = thumbnails.clear_metadata(thumbnail) or cleared
    return cleared


def _clear_locations(tiff: Tiff, directories: list[Directory], *, maker_notes: bool) -> bool:
    block = tiff.block
    spans = [span for entry in _find_entries(directories, LOCATION) for span in _find_location_spans(tiff, entry)]
    spans += [span for tag in GEO_TAGS for span in _find_value_spans(tiff, directories, tag)]
    if maker_notes:
        notes = _find_value_spans(tiff, directories, MAKER_NOTE)
        spans += [
            (start, end) for start, end in notes if not _is_maker_note_without_location(block.slice(start, end - start))
        ]
    packets = [(entry.position, entry.position + entry.size) for entry in _find_entries(directories, XMP)]
    packets = [(start, end) for start, end in packets if end <= block.length]
    packets = [(start, end) for start, end in packets if xmp.has_location(block.slice(start, end - start))]
    if not spans and not packets:
        return False
    _require_no_overlap(tiff, directories, spans + packets)
    for start, end in spans:
        block.clear(start, end - start)
    for start, end in packets:
        xmp.clear_location(block.slice(start, end - start))
    return True


def _find_value_spans(tiff: Tiff, directories: list[Directory], tag: int) -> Iterator[Span]:
    """Yield the spans of a tag's values that are not all zeros; those beyond the end are skipped."""
    for entry in _find_entries(directories, tag):
        span = entry.position, entry.position + entry.size
        if (
            entry.size
            and span[1] <= tiff.block.length
            and any(chunk.strip(b"\x00") for chunk in tiff.block.slice(span[0], entry.size).read_chunks())
        ):
            yield span


def _is_maker_note_without_location(note: Block) -> bool:
    length = len(MAKERS_WITHOUT_LOCATION)
    return note.length >= length and note.read(0, length) == MAKERS_WITHOUT_LOCATION


def _find_thumbnails(tiff: Tiff, directories: list[Directory]) -> Iterator[Block]:
    """Yield what may be a JPEG: thumbnails, and pixels in a single strip or tile."""
    for directory in directories:
        for tag, size_tag in PIXELS:
            starts = [
                number for entry in directory.find_entries(tag) for number in tiff.read_numbers(entry, max_count=2)
            ]
            lengths = [
                number for entry in directory.find_entries(size_tag) for number in tiff.read_numbers(entry, max_count=2)
            ]
            if len(starts) == len(lengths) == 1 and starts[0] + lengths[0] <= tiff.block.length:
                yield tiff.block.slice(starts[0], lengths[0])


def clear_after(block: Block, position: int) -> bool:
    """Clear everything from a position on. Raises `LocationNotRemovable` if data of the picture follows."""
    tiff = Tiff(block)
    directories = list(tiff.walk_directories())
    value_spans = ((entry.position, entry.position + entry.size) for each in directories for entry in each.entries)
    spans = (*_find_other_spans(tiff, directories), *value_spans)
    if any(position < end <= block.length for _, end in spans):
        raise LocationNotRemovable
    return block.clear(position, block.length - position)


def _find_entries(directories: list[Directory], tag: int) -> Iterator[Entry]:
    for directory in directories:
        yield from directory.find_entries(tag)


def _find_location_spans(tiff: Tiff, pointer: Entry) -> Iterator[Span]:
    """Yield the spans of the GPS directory and of its values outside of it."""
    for position in tiff.read_numbers(pointer, max_count=1):
        directory = tiff.read_directory(position) if position >= HEADER_SIZE else None
        if directory is None or not directory.count:
            continue
        if directory.count > MAX_LOCATION_ENTRIES:
            raise LocationNotRemovable
        yield directory.span
        for entry in directory.entries:
            # Values of up to four bytes are in the directory itself.
            if entry.size > 4 and entry.position + entry.size <= tiff.block.length:
                yield entry.position, entry.position + entry.size


def _require_no_overlap(tiff: Tiff, directories: list[Directory], spans: list[Span]) -> None:
    """Raise `LocationNotRemovable` if any of the spans overlaps with other data."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    ends = [end for _, end in merged]
    for start, end in _find_other_spans(tiff, directories):
        nearest = bisect_right(ends, start)
        if nearest < len(merged) and merged[nearest][0] < end:
            raise LocationNotRemovable


def _find_other_spans(tiff: Tiff, directories: list[Directory]) -> Iterator[Span]:
    yield 0, HEADER_SIZE
    for directory in directories:
        yield directory.span
        for tag, size_tag in PIXELS:
            starts = directory.find_entries(tag)
            lengths = directory.find_entries(size_tag)
            if any(entry.count > MAX_STRIPS for entry in starts) or len(starts) > 1 or len(starts) != len(lengths):
                raise LocationNotRemovable
            for entry, size_entry in zip(starts, lengths, strict=True):
                positions = tiff.read_numbers(entry, max_count=MAX_STRIPS)
                for start, length in zip(positions, tiff.read_numbers(size_entry, max_count=MAX_STRIPS), strict=False):
                    yield start, start + length
