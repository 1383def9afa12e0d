"""Where in a PDF or an RTF the commands are, and where text that only stands in it."""

import re
from typing import IO

PIECE = 256 * 1024

OBJECT = re.compile(rb"\b\d{1,10}\s+\d{1,5}\s+obj\b")
# Outside of strings: what may begin one, or end what they may lie in. A comment ends with its line.
TOKEN = re.compile(rb"%[^\r\n]*|\(|<[0-9A-Fa-f\s]*>|\bstream\r?\n|\bendobj\b")
# Inside: brackets, of which an inner one has to end first, and what a backslash takes its meaning from.
BRACKET = re.compile(rb"\\.|[()]", re.DOTALL)
END_OF_STREAM = re.compile(rb"\bendstream\b")

# Braces and what makes them letters; bytes that are none, as many as it says. Blank space belongs to the command.
GROUP = re.compile(rb"\\bin(\d{1,9}) ?|\\.|[{}]", re.DOTALL)
MAX_COMMAND_LENGTH = 16
# They take less than a second.
MAX_COMMANDS = 1_000_000


def blank_strings(head: bytes, *, streams_end: bool) -> bytes:
    """The beginning of a PDF with the strings and streams of its objects blanked, up to the first that does not end.

    `streams_end` says that further on there is the end of a stream.
    """
    kept, position = bytearray(head), 0
    while (found := OBJECT.search(head, position)) and position < len(head):
        position = _blank_object(head, found.end(), kept, streams_end=streams_end)
    return bytes(kept)


def _blank_object(head: bytes, position: int, kept: bytearray, *, streams_end: bool) -> int:
    """Where the object ends; the end of everything where that cannot be told."""
    while token := TOKEN.search(head, position):
        word, position = token[0], token.end()
        if word == b"endobj":
            return position
        end: int | None = position
        if word == b"(":
            end = _find_end_of_string(head, position)
        elif word.startswith(b"stream"):
            ending = END_OF_STREAM.search(head, position)
            end = ending.start() if ending else len(head) if streams_end else None
        if end is None:
            break
        kept[position:end] = bytes(end - position)
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
    """Where the group ends that is the whole document; `None` where that cannot be told."""
    length = content.seek(0, 2)
    start = depth = commands = 0
    while start < length and commands < MAX_COMMANDS:
        content.seek(start)
        piece = content.read(PIECE)
        # A command may lie across the end of a piece.
        bound = len(piece) if start + len(piece) == length else len(piece) - MAX_COMMAND_LENGTH
        position = 0
        while (found := GROUP.search(piece, position)) and found.start() < bound:
            position = found.end() + int(found[1] or 0)
            commands += 1
            depth += {b"{": 1, b"}": -1}.get(found[0], 0)
            if depth == 0 and found[0] == b"}":
                return start + position
        start += max(position, bound)
    return None
