"""Tokenize PDF and RTF, to tell their syntax from the text that they contain."""

import re
from typing import IO

CHUNK_SIZE = 256 * 1024

OBJECT = re.compile(rb"\b\d{1,10}\s+\d{1,5}\s+obj\b")
# Outside of strings: a comment, the start of a string or stream, or the end of an object.
PDF_TOKEN = re.compile(rb"%[^\r\n]*|\(|<[0-9A-Fa-f\s]*>|\bstream\r?\n|\bendobj\b")
# Within strings: escapes, and brackets, which nest.
BRACKET = re.compile(rb"\\.|[()]", re.DOTALL)
END_OF_STREAM = re.compile(rb"\bendstream\b")

# Braces, escapes, and `\bin` with the number of raw bytes that follow it and an optional blank.
RTF_TOKEN = re.compile(rb"\\bin(\d{1,9}) ?|\\.|[{}]", re.DOTALL)
MAX_TOKEN_LENGTH = 16
# Takes less than a second.
MAX_TOKENS = 1_000_000


def blank_strings(head: bytes, *, has_endstream: bool) -> bytes:
    """Blank the strings and streams in the beginning of a PDF, up to the first that does not end.

    `has_endstream`: the rest of the file has the end of a stream that is not in `head`.
    """
    blanked, position = bytearray(head), 0
    while (found := OBJECT.search(head, position)) and position < len(head):
        position = _blank_object(head, found.end(), blanked, has_endstream=has_endstream)
    return bytes(blanked)


def _blank_object(head: bytes, position: int, blanked: bytearray, *, has_endstream: bool) -> int:
    """Blank the strings and streams of one object and return where it ends; the end of `head` if that is unknown."""
    while token := PDF_TOKEN.search(head, position):
        word, position = token[0], token.end()
        if word == b"endobj":
            return position
        end: int | None = position
        if word == b"(":
            end = _find_end_of_string(head, position)
        elif word.startswith(b"stream"):
            ending = END_OF_STREAM.search(head, position)
            end = ending.start() if ending else len(head) if has_endstream else None
        if end is None:
            break
        blanked[position:end] = bytes(end - position)
        position = end
    return len(head)


def _find_end_of_string(head: bytes, position: int) -> int | None:
    depth = 1
    while bracket := BRACKET.search(head, position):
        position = bracket.end()
        depth += {b"(": 1, b")": -1}.get(bracket[0], 0)
        if depth == 0:
            return position
    return None


def find_end_of_rtf(content: IO[bytes]) -> int | None:
    """Return where the outermost group ends; `None` if it does not, or there are too many tokens."""
    length = content.seek(0, 2)
    start = depth = tokens = 0
    while start < length and tokens < MAX_TOKENS:
        content.seek(start)
        chunk = content.read(CHUNK_SIZE)
        # A token may span two chunks.
        bound = len(chunk) if start + len(chunk) == length else len(chunk) - MAX_TOKEN_LENGTH
        position = 0
        while (found := RTF_TOKEN.search(chunk, position)) and found.start() < bound:
            position = found.end() + int(found[1] or 0)
            tokens += 1
            depth += {b"{": 1, b"}": -1}.get(found[0], 0)
            if depth == 0 and found[0] == b"}":
                return start + position
        start += max(position, bound)
    return None
