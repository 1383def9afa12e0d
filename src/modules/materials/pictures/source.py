"""Bounded access to an untrusted file.

Whatever offsets and counts the file contains, reading is limited in memory and time, and writes stay within a block.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

WINDOW_SIZE = 16 * 1024
CHUNK_SIZE = 64 * 1024
# The budget of a `Source`, about a second: each read costs 1, and 1 more for each KiB read from the file. An ordinary
# picture of 25 MiB costs about 50,000.
MAX_COST = 500_000
# A block of metadata in more spans than this was made to take time.
MAX_SPANS = 1000

# Start and end (exclusive) of a range of bytes.
Span = tuple[int, int]


class Unreadable(ValueError):
    """The file violates its format. The message is a clause that is shown to the uploader."""


class LocationNotRemovable(ValueError):
    """There is a location that cannot be cleared without damaging other data."""


class Source:
    """A file with a read buffer (`_window`) and a budget for the work on it."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self.length = content.seek(0, 2)
        self._window = b""
        self._window_start = 0
        self._cost = 0

    def read(self, position: int, size: int) -> bytes:
        """Read exactly `size` bytes. Raises `Unreadable` if the file ends before, or its budget is used up."""
        self.charge(1)
        if position < 0 or size < 0 or position + size > self.length:
            raise Unreadable("it ends too early")
        start = position - self._window_start
        if start < 0 or start + size > len(self._window):
            self.charge(max(size, WINDOW_SIZE) // 1024)
            self._content.seek(position)
            self._window, self._window_start, start = self._content.read(max(size, WINDOW_SIZE)), position, 0
        part = self._window[start : start + size]
        if len(part) < size:
            raise Unreadable("it ends too early")
        return part

    def read_number(self, position: int, size: int, byte_order: str = "big") -> int:
        return int.from_bytes(self.read(position, size), "little" if byte_order == "little" else "big")

    def read_chunks(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Yield the bytes between two positions in chunks, each with its position."""
        while start < end:
            chunk = self.read(start, min(CHUNK_SIZE, end - start))
            yield start, chunk
            start += len(chunk)

    def find(self, pattern: re.Pattern[bytes], start: int, *, max_length: int) -> tuple[int, int] | None:
        """Return start and end of the first match from `start` on, which may have up to `max_length` bytes."""
        while start < self.length:
            chunk = self.read(start, min(CHUNK_SIZE, self.length - start))
            if found := pattern.search(chunk):
                return start + found.start(), start + found.end()
            if start + len(chunk) == self.length:
                return None
            # A match may span two chunks.
            start += len(chunk) - max_length + 1
        return None

    def write(self, position: int, data: bytes) -> None:
        """Overwrite bytes; the length of the file never changes."""
        if position < 0 or position + len(data) > self.length:
            raise Unreadable("it ends too early")
        self._window = b""
        self._content.seek(position)
        self._content.write(data)

    def clear(self, start: int, end: int, filler: bytes = b"\x00") -> bool:
        """Overwrite the bytes between two positions with `filler`; return whether any differed."""
        cleared = False
        for position, chunk in self.read_chunks(start, end):
            if chunk.strip(filler):
                self.write(position, filler * len(chunk))
                cleared = True
        return cleared

    def charge(self, cost: int) -> None:
        """Deduct work from the budget, 1 for about a microsecond. Raises `Unreadable` if it is used up."""
        self._cost += cost
        if self._cost > MAX_COST:
            raise Unreadable("it has too many parts")


@dataclass(frozen=True)
class Block:
    """Bytes of a file that belong together, in one span or in several.

    Positions are relative to the block. Nothing outside of it is read or written.
    """

    source: Source
    spans: tuple[Span, ...]

    def __post_init__(self) -> None:
        if len(self.spans) > MAX_SPANS:
            raise Unreadable("it has too many parts")

    @classmethod
    def between(cls, source: Source, start: int, end: int) -> "Block":
        return cls(source, ((start, max(start, end)),))

    @property
    def length(self) -> int:
        return sum(end - start for start, end in self.spans)

    def read(self, position: int, size: int) -> bytes:
        """Read exactly `size` bytes. Raises `Unreadable` if the block ends before."""
        return b"".join(self.source.read(start, end - start) for start, end in self._resolve_spans(position, size))

    def clear(self, position: int, size: int, filler: bytes = b"\x00") -> bool:
        """Overwrite `size` bytes with `filler`; return whether any differed. Raises `Unreadable` if the block ends
        before."""
        return sum(self.source.clear(start, end, filler) for start, end in self._resolve_spans(position, size)) > 0

    def slice(self, position: int, size: int | None = None) -> "Block":
        """Return a block within this one, up to its end by default."""
        return Block(
            self.source, tuple(self._resolve_spans(position, self.length - position if size is None else size))
        )

    def read_chunks(self) -> Iterator[bytes]:
        for start, end in self.spans:
            for _, chunk in self.source.read_chunks(start, end):
                yield chunk

    def _resolve_spans(self, position: int, size: int) -> list[Span]:
        """Map a range of the block to spans of the file."""
        if position < 0 or size < 0 or position + size > self.length:
            raise Unreadable("it ends too early")
        resolved = []
        for start, end in self.spans:
            length = end - start
            if position < length and size > 0:
                available = min(size, length - position)
                resolved.append((start + position, start + position + available))
                position, size = 0, size - available
            else:
                position -= min(position, length)
        return resolved
