"""Documents of Office from before 2007: a file system in a file ([MS-CFB]), of which the directory is read."""

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
# Folders that hold a project of Visual Basic.
MACROS = {"macros", "vba", "_vba_project", "_vba_project_cur"}

HEADER_SIZE = 512
ENTRY_SIZE = 128
# Streams shorter than this lie elsewhere in the file; Office pads the ones that matter here.
MIN_STREAM = 4096

# PowerPoint keeps its project in the document itself; this record says that there is one ([MS-PPT] 2.4.10).
POWERPOINT_MACROS = re.compile(rb"\x02\x00\x00\x04\x0c\x00\x00\x00....(?!\x00\x00\x00\x00)....", re.DOTALL)
# More than any honest document has.
MAX_NAMES = 20_000
MAX_RECORDS = 100_000
BOUND_SHEET, FILE_PASS, END_OF_FILE = 0x0085, 0x002F, 0x000A
MACRO_SHEET, MODULE_SHEET = 1, 6


class Unreadable(ValueError):
    """Not as the format has it: what is in there cannot be told."""


def detect_compound_type(content: IO[bytes]) -> str | None:
    """The content type of a document, `None` for one with macros, of another kind, or that cannot be read."""
    try:
        document = CompoundFile(content)
        streams = document.streams
        names = {name for name in TYPES if name in streams}
        if not names or MACROS & document.names:
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
    """The names in the directory, and where the streams begin. Raises `Unreadable`."""

    content: IO[bytes]
    names: set[str] = field(default_factory=set)
    # Where it begins and how long it is.
    streams: dict[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.length = self.content.seek(0, 2)
        header = self._read(0, HEADER_SIZE)
        shift = _parse_number(header[30:32])
        if shift not in {9, 12}:
            raise Unreadable("sector size")
        self.sector_size = 1 << shift
        self.most_sectors = self.length // self.sector_size + 1
        self.table = self._sectors_of_table(header)
        for sector in self._chain(_parse_number(header[48:52])):
            self._read_directory(sector)

    def stream(self, name: str) -> Iterator[bytes]:
        """A stream, sector by sector."""
        start, size = self.streams[name]
        if size < MIN_STREAM:
            raise Unreadable(f"{name} is too short to be one")
        for sector in self._chain(start):
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
            if len(self.names) > MAX_NAMES:
                raise Unreadable("too many names")
            if entry[66] == 2:
                self.streams.setdefault(name, (_parse_number(entry[116:120]), _parse_number(entry[120:124])))

    def _sectors_of_table(self, header: bytes) -> list[int]:
        """Where the allocation table lies: the first 109 sectors are in the header, the others in a chain of lists."""
        sectors = _parse_numbers(header[76:HEADER_SIZE])
        following = _parse_number(header[68:72])
        for _ in range(self.most_sectors):
            if following >= self.most_sectors:
                break
            numbers = _parse_numbers(self._sector(following))
            sectors += numbers[:-1]
            following = numbers[-1]
            if len(sectors) > self.most_sectors + 256:
                raise Unreadable("the table is larger than the file")
        return sectors

    def _chain(self, number: int) -> Iterator[bytes]:
        for _ in range(self.most_sectors):
            # Numbers beyond the file are marks for the end, for what is free, and for nonsense.
            if number >= self.most_sectors:
                return
            yield self._sector(number)
            number = self._next(number)
        raise Unreadable("a chain goes round")

    def _next(self, number: int) -> int:
        block, index = divmod(number, self.sector_size // 4)
        if block >= len(self.table) or self.table[block] >= self.most_sectors:
            raise Unreadable("a sector is not in the table")
        return _parse_number(self._read(self._offset(self.table[block]) + 4 * index, 4))

    def _sector(self, number: int) -> bytes:
        return self._read(self._offset(number), self.sector_size, at_least=ENTRY_SIZE)

    def _offset(self, number: int) -> int:
        return (number + 1) * self.sector_size

    def _read(self, position: int, size: int, *, at_least: int | None = None) -> bytes:
        self.content.seek(position)
        part = self.content.read(size)
        if len(part) < (size if at_least is None else at_least):
            raise Unreadable("it ends too early")
        # The last sector of a file may be cut short.
        return part.ljust(size, b"\x00")


def _has_powerpoint_macros(document: CompoundFile) -> bool:
    before = b""
    for sector in document.stream(POWERPOINT):
        if POWERPOINT_MACROS.search(before + sector):
            return True
        before = sector[-32:]
    return False


def _has_macro_sheet(document: CompoundFile, name: str) -> bool:
    """Whether a workbook has a sheet of macros as Excel 4 had them; it counts as one if it is encrypted."""
    for kind, body in islice(_read_records(document.stream(name)), MAX_RECORDS):
        if kind == FILE_PASS or (kind == BOUND_SHEET and body[5:6] in {bytes([MACRO_SHEET]), bytes([MODULE_SHEET])}):
            return True
        if kind == END_OF_FILE:
            return False
    raise Unreadable("a workbook without an end")


def _read_records(stream: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """The records of a workbook, each with what it holds."""
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
