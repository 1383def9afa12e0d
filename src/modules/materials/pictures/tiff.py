"""TIFF, which is also how EXIF is written: directories of entries that point to one another.

Directories that cannot be read are passed over, for nobody else can read them either.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from modules.materials.pictures import thumbnails, xmp
from modules.materials.pictures.size import Size
from modules.materials.pictures.source import Block, LocationNotRemovable, Unreadable

WIDTH, HEIGHT = 0x0100, 0x0101
STRIPS, STRIP_SIZES = 0x0111, 0x0117
TILES, TILE_SIZES = 0x0144, 0x0145
THUMBNAIL, THUMBNAIL_SIZE = 0x0201, 0x0202
SUBDIRECTORIES, EXIF, INTEROPERABILITY = 0x014A, 0x8769, 0xA005
XMP, LOCATION, RESOURCES = 0x02BC, 0x8825, 0x8649
MAKER_NOTE = 0x927C
# Where on earth the corners of a map lie.
MAP = {0x830E, 0x8482, 0x85D8}
PIXELS = ((STRIPS, STRIP_SIZES), (TILES, TILE_SIZES), (THUMBNAIL, THUMBNAIL_SIZE))
POINTERS = {SUBDIRECTORIES, EXIF, INTEROPERABILITY}
OF_INTEREST = (
    POINTERS | MAP | {WIDTH, HEIGHT, XMP, LOCATION, RESOURCES, MAKER_NOTE} | {tag for pair in PIXELS for tag in pair}
)

HEADER_SIZE = 8
ENTRY_SIZE = 12
# How many bytes a value of each type takes, in the order of their numbers.
SIZES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)
NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I"}
# More than an honest file has, were it a book or a mosaic.
MAX_DIRECTORIES = 2000
MAX_ENTRIES_OF_INTEREST = 20_000
MAX_LOCATION_ENTRIES = 100
MAX_SUBDIRECTORIES = 100
MAX_PIECES = 100_000
# Those of other makers are in a form of their own, and some say where.
MAKERS_WITHOUT_LOCATION = b"Apple iOS\x00"

# Where something begins and ends.
Area = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """What a directory says of one thing: `count` values of a type that lie at `position`."""

    tag: int
    kind: int
    count: int
    position: int

    @property
    def size(self) -> int:
        return self.count * (SIZES[self.kind] if self.kind < len(SIZES) else 1)


@dataclass(frozen=True, slots=True)
class Directory:
    """Entries that begin at `position`, after their number, and where the next directory is."""

    position: int
    count: int
    following: int
    entries: list[Entry]

    @property
    def area(self) -> Area:
        return self.position, self.position + 2 + ENTRY_SIZE * self.count

    def having(self, *tags: int) -> list[Entry]:
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

    def directories(self) -> Iterator[Directory]:
        """Each one once, those among them that an entry points to; the one of the location is not. Raises
        `Unreadable` where there are too many."""
        waiting, seen, of_interest = [self.first], {0}, 0
        while waiting:
            position = waiting.pop()
            if position in seen:
                continue
            seen.add(position)
            directory = self.directory(position, OF_INTEREST)
            if directory is None:
                continue
            of_interest += len(directory.entries)
            if len(seen) > MAX_DIRECTORIES or of_interest > MAX_ENTRIES_OF_INTEREST:
                raise Unreadable("it has too many parts")
            yield directory
            waiting.append(directory.following)
            for entry in directory.having(*POINTERS):
                waiting += self.numbers(entry, most=MAX_SUBDIRECTORIES)

    def directory(self, position: int, tags: set[int] | None = None) -> Directory | None:
        """The directory that begins there, with those of its entries that are asked for; `None` if there is none."""
        block = self.block
        if position + 2 > block.length:
            return None
        said = struct.unpack(f"{self.order}H", block.read(position, 2))[0]
        count = min(said, (block.length - position - 2) // ENTRY_SIZE)
        raw = block.read(position + 2, count * ENTRY_SIZE)
        block.source.pay(count)
        entries = []
        for index, (tag, kind, number, value) in enumerate(struct.iter_unpack(f"{self.order}HHII", raw)):
            if tags is None or tag in tags:
                entry = Entry(tag, kind, number, position + 2 + ENTRY_SIZE * index + 8)
                entries.append(entry if entry.size <= 4 else Entry(tag, kind, number, value))
        end = position + 2 + ENTRY_SIZE * count
        following = struct.unpack(f"{self.order}I", block.read(end, 4))[0] if end + 4 <= block.length else 0
        return Directory(position, count, following, entries)

    def numbers(self, entry: Entry, *, most: int) -> list[int]:
        """The values of an entry, up to so many; none where they are no numbers, or lie outside."""
        letter = NUMBERS.get(entry.kind)
        count = min(entry.count, most)
        if letter is None or entry.position + count * SIZES[entry.kind] > self.block.length:
            return []
        raw = self.block.read(entry.position, count * SIZES[entry.kind])
        return list(struct.unpack(f"{self.order}{count}{letter}", raw))


def read_sizes(block: Block) -> Iterator[Size]:
    """The width and height of each page. Raises `Unreadable`."""
    tiff = Tiff(block)
    for directory in tiff.directories():
        widths, heights = (
            [number for entry in directory.having(tag) for number in tiff.numbers(entry, most=1)]
            for tag in (WIDTH, HEIGHT)
        )
        if widths and heights:
            # Which one counts where there are several is for each reader to choose.
            yield Size(max(widths), max(heights))


def find_values(block: Block, tag: int) -> list[Block]:
    """What every directory has under a tag. Raises `Unreadable`."""
    entries = _find_entries(list(Tiff(block).directories()), tag)
    return [block.part(entry.position, entry.size) for entry in entries if entry.position + entry.size <= block.length]


def clear_location(block: Block, *, maker_notes: bool = False) -> bool:
    """Clear the place that a picture was taken at; whether there was one. `maker_notes` says that those go, too.

    Raises `LocationNotRemovable` where it cannot be cleared without touching something else, and `Unreadable`.
    """
    tiff = Tiff(block)
    directories = list(tiff.directories())
    cleared = _clear_locations(tiff, directories, maker_notes=maker_notes)
    for thumbnail in _find_thumbnails(tiff, directories):
        cleared = thumbnails.clear_descriptions(thumbnail) or cleared
    return cleared


def _clear_locations(tiff: Tiff, directories: list[Directory], *, maker_notes: bool) -> bool:
    block = tiff.block
    places = [area for entry in _find_entries(directories, LOCATION) for area in _find_location_areas(tiff, entry)]
    places += [area for tag in MAP for area in _find_value_areas(tiff, directories, tag)]
    if maker_notes:
        notes = _find_value_areas(tiff, directories, MAKER_NOTE)
        places += [(start, end) for start, end in notes if not _names_no_location(block.part(start, end - start))]
    packets = [(entry.position, entry.position + entry.size) for entry in _find_entries(directories, XMP)]
    packets = [(start, end) for start, end in packets if end <= block.length]
    packets = [(start, end) for start, end in packets if xmp.has_location(block.part(start, end - start))]
    if not places and not packets:
        return False
    _require_apart(tiff, directories, places + packets)
    for start, end in places:
        block.clear(start, end - start)
    for start, end in packets:
        xmp.clear_location(block.part(start, end - start))
    return True


def _find_value_areas(tiff: Tiff, directories: list[Directory], tag: int) -> Iterator[Area]:
    """Those that there is something in; those beyond the end nobody finds."""
    for entry in _find_entries(directories, tag):
        area = entry.position, entry.position + entry.size
        if (
            entry.size
            and area[1] <= tiff.block.length
            and any(piece.strip(b"\x00") for piece in tiff.block.part(area[0], entry.size).chunks())
        ):
            yield area


def _names_no_location(note: Block) -> bool:
    length = len(MAKERS_WITHOUT_LOCATION)
    return note.length >= length and note.read(0, length) == MAKERS_WITHOUT_LOCATION


def _find_thumbnails(tiff: Tiff, directories: list[Directory]) -> Iterator[Block]:
    """What may be a JPEG: what says to be one, and pixels in one piece."""
    for directory in directories:
        for tag, tag_of_sizes in PIXELS:
            starts = [number for entry in directory.having(tag) for number in tiff.numbers(entry, most=2)]
            lengths = [number for entry in directory.having(tag_of_sizes) for number in tiff.numbers(entry, most=2)]
            if len(starts) == len(lengths) == 1 and starts[0] + lengths[0] <= tiff.block.length:
                yield tiff.block.part(starts[0], lengths[0])


def clear_behind(block: Block, position: int) -> bool:
    """Clear all from a position on. Raises `LocationNotRemovable` where the picture goes on there."""
    tiff = Tiff(block)
    directories = list(tiff.directories())
    find_values = ((entry.position, entry.position + entry.size) for each in directories for entry in each.entries)
    areas = (*_find_other_areas(tiff, directories), *find_values)
    if any(position < end <= block.length for _, end in areas):
        raise LocationNotRemovable
    return block.clear(position, block.length - position)


def _find_entries(directories: list[Directory], tag: int) -> Iterator[Entry]:
    for directory in directories:
        yield from directory.having(tag)


def _find_location_areas(tiff: Tiff, pointer: Entry) -> Iterator[Area]:
    """Where the directory of the location lies, and the values that lie apart from it."""
    for position in tiff.numbers(pointer, most=1):
        directory = tiff.directory(position) if position >= HEADER_SIZE else None
        if directory is None or not directory.count:
            continue
        if directory.count > MAX_LOCATION_ENTRIES:
            raise LocationNotRemovable
        yield directory.area
        for entry in directory.entries:
            # Those of four bytes and less lie in the directory; those beyond the end nobody finds.
            if entry.size > 4 and entry.position + entry.size <= tiff.block.length:
                yield entry.position, entry.position + entry.size


def _require_apart(tiff: Tiff, directories: list[Directory], areas: list[Area]) -> None:
    """Raises `LocationNotRemovable` where what is to be cleared would take something else with it."""
    merged: list[Area] = []
    for start, end in sorted(areas):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    ends = [end for _, end in merged]
    for start, end in _find_other_areas(tiff, directories):
        nearest = bisect_right(ends, start)
        if nearest < len(merged) and merged[nearest][0] < end:
            raise LocationNotRemovable


def _find_other_areas(tiff: Tiff, directories: list[Directory]) -> Iterator[Area]:
    yield 0, HEADER_SIZE
    for directory in directories:
        yield directory.area
        for tag, tag_of_sizes in PIXELS:
            starts = directory.having(tag)
            lengths = directory.having(tag_of_sizes)
            if any(entry.count > MAX_PIECES for entry in starts) or len(starts) > 1 or len(starts) != len(lengths):
                raise LocationNotRemovable
            for entry, entry_of_sizes in zip(starts, lengths, strict=True):
                positions = tiff.numbers(entry, most=MAX_PIECES)
                for start, length in zip(positions, tiff.numbers(entry_of_sizes, most=MAX_PIECES), strict=False):
                    yield start, start + length
