"""Office documents from before 2007: a file system in a file ([MS-CFB]), of which the directory is read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import IO

WORD, EXCEL, POWERPOINT, VISIO = "worddocument", "workbook", "powerpoint document", "visiodocument"
EXCEL_95 = "book"
TYPES = {
    WORD: "application/msword",
    EXCEL: "application/vnd.ms-excel",
    EXCEL_95: "application/vnd.ms-excel",
    POWERPOINT: "application/vnd.ms-powerpoint",
    VISIO: "application/vnd.visio",
}
# Folders of a Visual Basic project.
MACRO_FOLDERS = {"macros", "vba", "_vba_project", "_vba_project_cur"}

HEADER_SIZE = 512
ENTRY_SIZE = 128
# Shorter streams are in the mini stream; Office pads those that are read here.
MIN_STREAM = 4096

# PowerPoint stores its project in the document stream; this record refers to it ([MS-PPT] 2.4.10).
POWERPOINT_MACROS = re.compile(rb"\x02\x00\x00\x04\x0c\x00\x00\x00....(?!\x00\x00\x00\x00)....", re.DOTALL)
# More than any ordinary document has.
MAX_DIRECTORY_ENTRIES = 20_000
MAX_RECORDS = 100_000
BOUND_SHEET, FILE_PASS, END_OF_FILE = 0x0085, 0x002F, 0x000A
MACRO_SHEET, MODULE_SHEET = 1, 6


class Unreadable(ValueError):
    """The file violates its format."""


def detect_compound_type(content: IO[bytes]) -> str | None:
    """Return the content type of a document; `None` if it has macros, is of another kind, or cannot be read."""
    try:
        document = CompoundFile(content)
        streams = document.streams
        names = {name for name in TYPES if name in streams}
        if not names or MACRO_FOLDERS & document.names:
            return None
        if any(name in streams and _has_macro_sheet(document, name) for name in (EXCEL, EXCEL_95)):
            return None
        if POWERPOINT in streams and _has_powerpoint_macros(document):
            return None
        return next(kind for name, kind in TYPES.items() if name in names)
    except Unreadable:
        return None


@dataclass
class CompoundFile:
    """The directory of a compound file: all names, and the streams. Raises `Unreadable`."""

    content: IO[bytes]
    names: set[str] = field(default_factory=set)
    # First sector and size in bytes.
    streams: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.length = self.content.seek(0, 2)
        header = self._read(0, HEADER_SIZE)
        shift = _parse_number(header[30:32])
        if shift not in {9, 12}:
            raise Unreadable("sector size")
        self.sector_size = 1 << shift
        self.max_sectors = self.length // self.sector_size + 1
        self.table = self._list_table_sectors(header)
        for sector in self._walk_chain(_parse_number(header[48:52])):
            self._read_directory(sector)

    def read_stream(self, name: str) -> Iterator[bytes]:
        """Yield the sectors of a stream."""
        start, size = self.streams[name]
        if size < MIN_STREAM:
            raise Unreadable(f"{name} is too short to be one")
        for sector in self._walk_chain(start):
            yield sector[:size]
            size -= len(sector)
            if size <= 0:
                return

    def _read_directory(self, sector: bytes) -> None:
        for position in range(0, len(sector), ENTRY_SIZE):
            entry = sector[position : position + ENTRY_SIZE]
            length = _parse_number(entry[64:66])
            if entry[66] not in {1, 2} or not 2 <= length <= 64:
                continue
            name = entry[: length - 2].decode("utf-16-le", errors="replace").lower()
            self.names.add(name)
            if len(self.names) > MAX_DIRECTORY_ENTRIES:
                raise Unreadable("too many names")
            if entry[66] == 2:
                self.streams.setdefault(name, (_parse_number(entry[116:120]), _parse_number(entry[120:124])))

    def _list_table_sectors(self, header: bytes) -> list[int]:
        """Return the sectors of the allocation table: the header lists the first 109, a chain of sectors the others."""
        sectors = _parse_numbers(header[76:HEADER_SIZE])
        following = _parse_number(header[68:72])
        for _ in range(self.max_sectors):
            if following >= self.max_sectors:
                break
            numbers = _parse_numbers(self._read_sector(following))
            sectors += numbers[:-1]
            following = numbers[-1]
            if len(sectors) > self.max_sectors + 256:
                raise Unreadable("the table is larger than the file")
        return sectors

    def _walk_chain(self, number: int) -> Iterator[bytes]:
        for _ in range(self.max_sectors):
            # Numbers beyond the file mark the end of a chain, or a free sector.
            if number >= self.max_sectors:
                return
            yield self._read_sector(number)
            number = self._find_next_sector(number)
        raise Unreadable("a chain goes round")

    def _find_next_sector(self, number: int) -> int:
        block, index = divmod(number, self.sector_size // 4)
        if block >= len(self.table) or self.table[block] >= self.max_sectors:
            raise Unreadable("a sector is not in the table")
        return _parse_number(self._read(self._get_offset(self.table[block]) + 4 * index, 4))

    def _read_sector(self, number: int) -> bytes:
        return self._read(self._get_offset(number), self.sector_size, min_size=ENTRY_SIZE)

    def _get_offset(self, number: int) -> int:
        return (number + 1) * self.sector_size

    def _read(self, position: int, size: int, *, min_size: int | None = None) -> bytes:
        self.content.seek(position)
        chunk = self.content.read(size)
        if len(chunk) < (size if min_size is None else min_size):
            raise Unreadable("it ends too early")
        # The last sector of a file may be truncated.
        return chunk.ljust(size, b"\x00")


def _has_powerpoint_macros(document: CompoundFile) -> bool:
    before = b""
    for sector in document.read_stream(POWERPOINT):
        if POWERPOINT_MACROS.search(before + sector):
            return True
        before = sector[-32:]
    return False


def _has_macro_sheet(document: CompoundFile, name: str) -> bool:
    """Return whether a workbook has a macro sheet of Excel 4, or is encrypted."""
    for kind, body in islice(_read_records(document.read_stream(name)), MAX_RECORDS):
        if kind == FILE_PASS or (kind == BOUND_SHEET and body[5:6] in {bytes([MACRO_SHEET]), bytes([MODULE_SHEET])}):
            return True
        if kind == END_OF_FILE:
            return False
    raise Unreadable("a workbook without an end")


def _read_records(stream: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield type and body of each record of a workbook."""
    buffer = b""
    for sector in stream:
        buffer += sector
        while len(buffer) >= 4 and len(buffer) >= 4 + _parse_number(buffer[2:4]):
            size = _parse_number(buffer[2:4])
            yield _parse_number(buffer[:2]), buffer[4 : 4 + size]
            buffer = buffer[4 + size :]


def _parse_number(raw: bytes) -> int:
    return int.from_bytes(raw, "little")


def _parse_numbers(raw: bytes) -> list[int]:
    return [_parse_number(raw[position : position + 4]) for position in range(0, len(raw), 4)]
