"""Reading and writing pieces of a file that nobody trusts.

Whatever the file says of itself, only so much of it is read, in memory and in time, and nothing is written outside the
bounds that a reader has named.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

WINDOW = 16 * 1024
PIECE = 64 * 1024
# What one look at a file may cost: each question is one, and each kibibyte that is read for it one more. An honest
# picture of 25 MiB takes about fifty thousand; all of them are read in a second.
MAX_COST = 500_000
# A block of metadata that lies in more places than this was made to take time.
MAX_SPANS = 1000


class Unreadable(ValueError):
    """Not as its format has it; says in half a sentence what is wrong."""


class LocationNotRemovable(ValueError):
    """There is a location that cannot be cleared without touching something else."""


class Source:
    """A file, of which a window is kept in memory."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self.length = content.seek(0, 2)
        self._window = b""
        self._window_start = 0
        self._cost = 0

    def read(self, position: int, size: int) -> bytes:
        """Exactly so many bytes. Raises `Unreadable` where the file ends before, or has cost enough."""
        self.pay(1)
        if position < 0 or size < 0 or position + size > self.length:
            raise Unreadable("it ends too early")
        start = position - self._window_start
        if start < 0 or start + size > len(self._window):
            self.pay(max(size, WINDOW) // 1024)
            self._content.seek(position)
            self._window, self._window_start, start = self._content.read(max(size, WINDOW)), position, 0
        part = self._window[start : start + size]
        if len(part) < size:
            raise Unreadable("it ends too early")
        return part

    def number(self, position: int, size: int, byte_order: str = "big") -> int:
        return int.from_bytes(self.read(position, size), "little" if byte_order == "little" else "big")

    def chunks(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """All between two positions, piece by piece, each with where it begins."""
        while start < end:
            piece = self.read(start, min(PIECE, end - start))
            yield start, piece
            start += len(piece)

    def find(self, pattern: re.Pattern[bytes], start: int, *, longest: int) -> tuple[int, int] | None:
        """Where a match begins and ends that is no longer than `longest`, the first from `start` on."""
        while start < self.length:
            piece = self.read(start, min(PIECE, self.length - start))
            if found := pattern.search(piece):
                return start + found.start(), start + found.end()
            if start + len(piece) == self.length:
                return None
            # A match may lie across the end of a piece.
            start += len(piece) - longest + 1
        return None

    def write(self, position: int, data: bytes) -> None:
        """Put bytes in the place of as many others."""
        if position < 0 or position + len(data) > self.length:
            raise Unreadable("it ends too early")
        self._window = b""
        self._content.seek(position)
        self._content.write(data)

    def clear(self, start: int, end: int, filler: bytes = b"\x00") -> bool:
        """Overwrite all between two positions with one byte; whether anything else was there."""
        cleared = False
        for position, piece in self.chunks(start, end):
            if piece.strip(filler):
                self.write(position, filler * len(piece))
                cleared = True
        return cleared

    def pay(self, cost: int) -> None:
        """For work besides reading, a microsecond each. Raises `Unreadable` where the file has cost enough."""
        self._cost += cost
        if self._cost > MAX_COST:
            raise Unreadable("it has too many parts")


@dataclass(frozen=True)
class Block:
    """Bytes of a file that belong together, in one place or in several (start and end of each, in their order).

    Positions are counted from where the block begins. Nothing outside of it is read or written.
    """

    source: Source
    spans: tuple[tuple[int, int], ...]

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
        """Exactly so many bytes. Raises `Unreadable` where the block ends before."""
        return b"".join(self.source.read(start, end - start) for start, end in self._places(position, size))

    def clear(self, position: int, size: int, filler: bytes = b"\x00") -> bool:
        """Overwrite so many bytes with one; whether anything else was there. Raises `Unreadable` where the block ends
        before."""
        return sum(self.source.clear(start, end, filler) for start, end in self._places(position, size)) > 0

    def part(self, position: int, size: int | None = None) -> "Block":
        """A block within this one, to its end where no size is given."""
        return Block(self.source, tuple(self._places(position, self.length - position if size is None else size)))

    def chunks(self) -> Iterator[bytes]:
        for start, end in self.spans:
            for _, piece in self.source.chunks(start, end):
                yield piece

    def _places(self, position: int, size: int) -> list[tuple[int, int]]:
        if position < 0 or size < 0 or position + size > self.length:
            raise Unreadable("it ends too early")
        places = []
        for start, end in self.spans:
            length = end - start
            if position < length and size > 0:
                taken = min(size, length - position)
                places.append((start + position, start + position + taken))
                position, size = 0, size - taken
            else:
                position -= min(position, length)
        return places
