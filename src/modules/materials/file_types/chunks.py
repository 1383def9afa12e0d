"""Looking through a whole file without having it in memory."""

import re
from collections.abc import Iterator
from typing import IO

SIZE = 256 * 1024
# What lies across the end of a chunk is found up to this length.
MAX_MATCH_LENGTH = 128


def contains(content: IO[bytes], *patterns: re.Pattern[bytes]) -> bool:
    """Whether one of the patterns, of no more than `MAX_MATCH_LENGTH` bytes, is anywhere in it."""
    return any(pattern.search(chunk) for _, chunk in _read_overlapping(content) for pattern in patterns)


def find_last(content: IO[bytes], wanted: bytes) -> int | None:
    last = None
    for position, chunk in _read_overlapping(content):
        found = chunk.rfind(wanted)
        if found >= 0:
            last = position + found
    return last


def _read_overlapping(content: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Each with its position, and beginning with the end of the one before."""
    content.seek(0)
    position, before = 0, b""
    while chunk := content.read(SIZE):
        yield position - len(before), before + chunk
        position += len(chunk)
        before = chunk[-MAX_MATCH_LENGTH:]
