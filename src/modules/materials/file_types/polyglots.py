"""Detect polyglots: files that are valid as HTML, a script, an archive, a program or a disk image as well.

Compressed data contains any short pattern by chance. The patterns for whole files are long enough to refuse less than
one in a million ordinary files of 25 MiB, the default limit.
"""

import re
from typing import IO

from modules.materials.file_types.chunks import contains
from modules.materials.file_types.zips import contains_zip

MARKUP = re.compile(rb"<(\?php|!doctype\s+html|html|head|body|script|iframe|svg)[\s>/]", re.IGNORECASE)
# How much of either end of audio and video is searched for markup.
EDGE_SIZE = 64 * 1024

# Eight printable characters have to follow: without them, one file of that length in six hundred matches by chance;
# with them, one in a million. Elements that run nothing by themselves may occur in a title, such as "<body>: what it
# is for": after these, another element or an event handler has to follow.
MARKUP_IN_BINARY = re.compile(
    rb"<(?:(?:\?php|script|iframe|svg)[\s>/][\t\n\r\x20-\x7e]{8}"
    rb"|(?:!doctype\s{1,20}html|html|head|body)(?=[\s>/][\t\n\r\x20-\x7e]{8})"
    rb"[\t\n\r\x20-\x7e]{0,80}?(?:<[a-z/!]|[\s/\"']on[a-z]{3,12}\s{0,4}=))",
    re.IGNORECASE,
)
# Separate patterns: one with alternatives at its beginning is slow.
ARCHIVES = (re.compile(rb"Rar!\x1a\x07[\x00\x01]"), re.compile(rb"7z\xbc\xaf\x27\x1c\x00"))
PROGRAMS = (
    re.compile(rb"\x7fELF[\x01\x02]{2}\x01[\x00-\x12]\x00{7}"),
    re.compile(rb"This program cannot be run in DOS mode"),
)
PDF_MAGIC = b"%PDF-"
MAX_PDF_OFFSET = 1024

# The signatures of some formats are identifiers in JavaScript, and the length after them may begin a comment.
MAX_COMMENT_OFFSET = 8
END_OF_COMMENT = re.compile(rb"\*/[\t\n\r\x20-\x7e]{12}")

ISO_9660_MAGIC = re.compile(rb"[\x00-\x03\xff]CD001\x01")
ISO_9660_OFFSET = 16 * 2048
TRAILER_SIZE = 512


def has_markup(part: bytes) -> bool:
    """Return whether the bytes contain HTML, SVG or PHP."""
    return MARKUP.search(part) is not None


def is_disk_image(content: IO[bytes], head: bytes) -> bool:
    """Return whether a file can be mounted: as ISO 9660, a disk image of macOS (DMG) or a virtual disk (VHD)."""
    if ISO_9660_MAGIC.match(head, ISO_9660_OFFSET):
        return True
    content.seek(max(0, content.seek(0, 2) - TRAILER_SIZE))
    return content.read(TRAILER_SIZE).startswith((b"koly\x00\x00\x00\x04", b"conectix"))


def is_polyglot(content: IO[bytes], head: bytes, *, is_picture: bool) -> bool:
    """Return whether a picture, audio or video is HTML, a script, an archive or a program as well."""
    if PDF_MAGIC in head[:MAX_PDF_OFFSET] or contains_zip(content):
        return True
    content.seek(max(0, content.seek(0, 2) - EDGE_SIZE))
    if MARKUP_IN_BINARY.search(head[:EDGE_SIZE]) or MARKUP_IN_BINARY.search(content.read()):
        return True
    if b"/*" in head[:MAX_COMMENT_OFFSET] and contains(content, END_OF_COMMENT):
        return True
    return is_picture and contains(content, MARKUP_IN_BINARY, *ARCHIVES, *PROGRAMS)
