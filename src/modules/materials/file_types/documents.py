"""PDF and RTF.

Scripts in a PDF are accepted: forms use them, readers sandbox them, and a PDF is only ever downloaded.
"""

import re
from typing import IO

from modules.materials.file_types.chunks import contains, find_last
from modules.materials.file_types.polyglots import MARKUP, has_markup
from modules.materials.file_types.tokens import blank_strings, find_end_of_rtf
from modules.materials.file_types.zips import contains_zip, ends_with_zip

# Readers accept the header further on, too, and so after a page of HTML; here only whitespace may precede it.
PDF = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n\t ]{0,1024}%PDF-")
END_OF_PDF = b"%%EOF"
END_OF_STREAM = re.compile(rb"\bendstream\b")
# Ordinary files have little after it: signatures, the padding of old disks.
MAX_TRAILING_BYTES = 1024
BEGINNING_SIZE = 1024

RTF = re.compile(rb"\s{0,1024}\{\\rt")
# Embedded objects and remote templates: the parts of RTF that exploits use most.
OBJECTS = re.compile(rb"\\obj(?:data|update|autlink|link|html|ocx)|\bDDEAUTO\b|\\template\s{1,9}https?:", re.IGNORECASE)

MAX_READ_AFTER_END = 64 * 1024
PAYLOAD = re.compile(rb"\s*(?:MZ|PK\x03\x04|\x7fELF|Rar!\x1a\x07|7z\xbc\xaf\x27\x1c)")


def is_pdf(head: bytes) -> bool:
    return PDF.match(head) is not None


def detect_pdf_type(content: IO[bytes], head: bytes) -> str | None:
    """Return the content type; `None` for a polyglot of HTML, an archive or a program.

    Markup within strings and streams is accepted.
    """
    if ends_with_zip(content) or (has_markup(head[:BEGINNING_SIZE]) and has_markup(_extract_syntax(content, head))):
        return None
    trailing = _read_after_end(content)
    if has_markup(trailing) or PAYLOAD.match(trailing) or len(trailing.strip(b"\x00\r\n\t\f ")) > MAX_TRAILING_BYTES:
        return None
    return "application/pdf"


def is_rtf(head: bytes) -> bool:
    """Return whether readers take it for RTF, which is more than what is valid."""
    return RTF.match(head) is not None


def detect_rtf_type(content: IO[bytes], head: bytes) -> str | None:
    """Return the content type; `None` if it has objects or a remote template, or is also HTML or an archive."""
    if not head.startswith(b"{\\rtf") or contains_zip(content) or contains(content, OBJECTS):
        return None
    return None if contains(content, MARKUP) and _has_markup_after_end(content) else "application/rtf"


def _has_markup_after_end(content: IO[bytes]) -> bool:
    """Return whether there is markup after the end of an RTF; also if that end cannot be found."""
    end = find_end_of_rtf(content)
    if end is None:
        return True
    content.seek(end)
    return has_markup(content.read(MAX_READ_AFTER_END))


def _extract_syntax(content: IO[bytes], head: bytes) -> bytes:
    """Return the beginning of a PDF, with the contents of its strings and streams blanked."""
    ends = contains(content, END_OF_STREAM)
    start = head.index(b"%PDF-")
    return blank_strings(head[start:], has_endstream=ends)[:BEGINNING_SIZE]


def _read_after_end(content: IO[bytes]) -> bytes:
    """Return what follows the last `%%EOF`; each incremental save adds one."""
    position = find_last(content, END_OF_PDF)
    if position is None:
        return b""
    content.seek(position + len(END_OF_PDF))
    return content.read(MAX_READ_AFTER_END)
