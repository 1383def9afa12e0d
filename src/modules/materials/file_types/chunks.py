"""Looking through a whole file without having it in memory."""

import re
from collections.abc import Iterator
from typing import IO

SIZE = 256 * 1024
# What lies across the end of a chunk is found up to this length.
LONGEST = 128


def contains(content: IO[bytes], *patterns: re.Pattern[bytes]) -> bool:
    """Whether one of the patterns, of no more than `LONGEST` bytes, is anywhere in it."""
    return any(pattern.search(chunk) for _, chunk in _chunks(content) for pattern in patterns)


def position_of_last(content: IO[bytes], wanted: bytes) -> int | None:
    last = None
    for position, chunk in _chunks(content):
        found = chunk.rfind(wanted)
        if found >= 0:
            last = position + found
    return last


def _chunks(content: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Each with its position, and beginning with the end of the one before."""
    content.seek(0)
    position, before = 0, b""
    while chunk := content.read(SIZE):
        yield position - len(before), before + chunk
        position += len(chunk)
        before = chunk[-LONGEST:]
