"""Documents that are a row of commands: PDF and RTF.

Scripts in a PDF are accepted: forms use them, readers ask or keep them in, and it is only ever downloaded.
"""

import re
from typing import IO

from modules.materials.file_types.chunks import contains, position_of_last
from modules.materials.file_types.hidden import has_markup
from modules.materials.file_types.zips import is_also_a_zip, is_zip_to_its_end

# Before it only blank space and a byte order mark: readers look for it further on, and so would find it behind a page.
PDF = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n\t ]{0,1024}%PDF-")
END_OF_PDF = b"%%EOF"
# Honest ones end with it, or with a little more: signatures, the padding of old disks.
MOST_BEHIND_END = 1024
BEGINNING = 1024

RTF = re.compile(rb"\s{0,1024}\{\\rt")
# How a document carries what is no text, pictures aside: no other part of RTF was used as often to take over a machine.
OBJECTS = re.compile(rb"\\obj(?:data|update|autlink|link|html|ocx)|\bDDEAUTO\b|\\template\s{1,9}https?:", re.IGNORECASE)

MOST_READ_BEHIND = 64 * 1024
PAYLOAD = re.compile(rb"\s*(?:MZ|PK\x03\x04|\x7fELF|Rar!\x1a\x07|7z\xbc\xaf\x27\x1c)")


def is_pdf(head: bytes) -> bool:
    return PDF.match(head) is not None


def pdf_type(content: IO[bytes], head: bytes) -> str | None:
    """`None` for one that is a page, an archive or a program as well."""
    if has_markup(head[:BEGINNING]) or is_zip_to_its_end(content):
        return None
    behind = _behind_end(content)
    if has_markup(behind) or PAYLOAD.match(behind) or len(behind.strip(b"\x00\r\n\t\f ")) > MOST_BEHIND_END:
        return None
    return "application/pdf"


def is_rtf(head: bytes) -> bool:
    """Also for what readers of RTF take for it though it is none."""
    return RTF.match(head) is not None


def rtf_type(content: IO[bytes], head: bytes) -> str | None:
    """`None` for one that has objects in it or fetches something, or that is a page or an archive as well."""
    if not head.startswith(b"{\\rtf") or has_markup(head[:BEGINNING]) or is_also_a_zip(content):
        return None
    return None if contains(content, OBJECTS) else "application/rtf"


def _behind_end(content: IO[bytes]) -> bytes:
    """What follows the last end, of which there is one for each time that it was saved; nothing if there is none."""
    position = position_of_last(content, END_OF_PDF)
    if position is None:
        return b""
    content.seek(position + len(END_OF_PDF))
    return content.read(MOST_READ_BEHIND)
