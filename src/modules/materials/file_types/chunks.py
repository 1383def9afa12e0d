"""Search a whole file without loading it into memory."""

import re
from collections.abc import Iterator
from typing import IO

CHUNK_SIZE = 256 * 1024
# Matches across two chunks are found up to this length.
MAX_MATCH_LENGTH = 128


def contains(content: IO[bytes], *patterns: re.Pattern[bytes]) -> bool:
    """Return whether any of the patterns matches; a match may have up to `MAX_MATCH_LENGTH` bytes."""
    return any(pattern.search(chunk) for _, chunk in _read_overlapping(content) for pattern in patterns)


def find_last(content: IO[bytes], wanted: bytes) -> int | None:
    """Return the position of the last occurrence."""
    last = None
    for position, chunk in _read_overlapping(content):
        found = chunk.rfind(wanted)
        if found >= 0:
            last = position + found
    return last


def _read_overlapping(content: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield chunks with their positions; each begins with the end of the one before."""
    content.seek(0)
    position, before = 0, b""
    while chunk := content.read(CHUNK_SIZE):
        yield position - len(before), before + chunk
        position += len(chunk)
        before = chunk[-MAX_MATCH_LENGTH:]
