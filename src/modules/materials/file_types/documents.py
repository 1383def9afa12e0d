"""Documents that are a row of commands: PDF and RTF.

Scripts in a PDF are accepted: forms use them, readers ask or keep them in, and it is only ever downloaded.
"""

import re
from typing import IO

from modules.materials.file_types.chunks import contains, find_last
from modules.materials.file_types.commands import blank_strings, find_end_of_rtf
from modules.materials.file_types.polyglots import MARKUP, has_markup
from modules.materials.file_types.zips import is_also_a_zip, is_zip_to_its_end

# Before it only blank space and a byte order mark: readers look for it further on, and so would find it behind a page.
PDF = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n\t ]{0,1024}%PDF-")
END_OF_PDF = b"%%EOF"
END_OF_STREAM = re.compile(rb"\bendstream\b")
# Honest ones end with it, or with a little more: signatures, the padding of old disks.
MAX_BEHIND_END = 1024
BEGINNING = 1024

RTF = re.compile(rb"\s{0,1024}\{\\rt")
# How a document carries what is no text, pictures aside: no other part of RTF was used as often to take over a machine.
OBJECTS = re.compile(rb"\\obj(?:data|update|autlink|link|html|ocx)|\bDDEAUTO\b|\\template\s{1,9}https?:", re.IGNORECASE)

MAX_READ_BEHIND = 64 * 1024
PAYLOAD = re.compile(rb"\s*(?:MZ|PK\x03\x04|\x7fELF|Rar!\x1a\x07|7z\xbc\xaf\x27\x1c)")


def is_pdf(head: bytes) -> bool:
    return PDF.match(head) is not None


def detect_pdf_type(content: IO[bytes], head: bytes) -> str | None:
    """`None` for one that is a page, an archive or a program as well. What its strings and streams say is nobody's."""
    if is_zip_to_its_end(content) or (has_markup(head[:BEGINNING]) and has_markup(_extract_commands(content, head))):
        return None
    behind = _read_behind_end(content)
    if has_markup(behind) or PAYLOAD.match(behind) or len(behind.strip(b"\x00\r\n\t\f ")) > MAX_BEHIND_END:
        return None
    return "application/pdf"


def is_rtf(head: bytes) -> bool:
    """Also for what readers of RTF take for it though it is none."""
    return RTF.match(head) is not None


def detect_rtf_type(content: IO[bytes], head: bytes) -> str | None:
    """`None` for one that has objects in it or fetches something, or that is a page or an archive as well."""
    if not head.startswith(b"{\\rtf") or is_also_a_zip(content) or contains(content, OBJECTS):
        return None
    return None if contains(content, MARKUP) and _has_page_behind(content) else "application/rtf"


def _has_page_behind(content: IO[bytes]) -> bool:
    """Whether there is a page that does not only stand in an RTF; also where nobody can tell."""
    end = find_end_of_rtf(content)
    if end is None:
        return True
    content.seek(end)
    return has_markup(content.read(MAX_READ_BEHIND))


def _extract_commands(content: IO[bytes], head: bytes) -> bytes:
    """The beginning without what is written in it, as far as that comes to an end."""
    ends = contains(content, END_OF_STREAM)
    start = head.index(b"%PDF-")
    return blank_strings(head[start:], streams_end=ends)[:BEGINNING]


def _read_behind_end(content: IO[bytes]) -> bytes:
    """What follows the last end, of which there is one for each time that it was saved; nothing if there is none."""
    position = find_last(content, END_OF_PDF)
    if position is None:
        return b""
    content.seek(position + len(END_OF_PDF))
    return content.read(MAX_READ_BEHIND)
