"""What else a file may be, besides what it begins as: a page, a script, an archive, a program, a disk.

Such files are made to get past somebody. Where only a few bytes tell, chance would refuse honest ones: compressed
pixels are as good as random. What is looked for in a whole file is long enough for less than one in a million of those
of 25 MiB, the longest that are accepted by default.
"""

import re
from typing import IO

from modules.materials.file_types.chunks import contains
from modules.materials.file_types.zips import is_also_a_zip

MARKUP = re.compile(rb"<(\?php|!doctype\s+html|html|head|body|script|iframe|svg)[\s>/]", re.IGNORECASE)
# A page is looked for so far from either end of sound and moving pictures.
EDGE = 64 * 1024

# Eight letters behind: five random bytes and a blank occur in every six hundredth file of that length, with eight
# letters behind them in every millionth.
# An element that runs nothing by itself may stand in a title, as in "<body>: what it is for": a page goes on with
# another element, or with what the element runs.
MARKUP_AND_MORE = re.compile(
    rb"<(?:(?:\?php|script|iframe|svg)[\s>/][\t\n\r\x20-\x7e]{8}"
    rb"|(?:!doctype\s{1,20}html|html|head|body)(?=[\s>/][\t\n\r\x20-\x7e]{8})"
    rb"[\t\n\r\x20-\x7e]{0,80}?(?:<[a-z/!]|[\s/\"']on[a-z]{3,12}\s{0,4}=))",
    re.IGNORECASE,
)
# Each by itself: a pattern that can begin in several ways is slow.
ARCHIVES = (re.compile(rb"Rar!\x1a\x07[\x00\x01]"), re.compile(rb"7z\xbc\xaf\x27\x1c\x00"))
PROGRAMS = (
    re.compile(rb"\x7fELF[\x01\x02]{2}\x01[\x00-\x12]\x00{7}"),
    re.compile(rb"This program cannot be run in DOS mode"),
)
DOCUMENT = b"%PDF-"
WHERE_DOCUMENTS_BEGIN = 1024

# The first bytes of some formats are a name to JavaScript, and the length behind them may begin a comment.
WHERE_COMMENTS_BEGIN = 8
END_OF_COMMENT = re.compile(rb"\*/[\t\n\r\x20-\x7e]{12}")

DISC = re.compile(rb"[\x00-\x03\xff]CD001\x01")
WHERE_DISCS_SAY_SO = 16 * 2048
LENGTH_OF_TRAILER = 512


def has_markup(part: bytes) -> bool:
    """Whether a page is hidden in these bytes."""
    return MARKUP.search(part) is not None


def is_also_a_disk(content: IO[bytes], head: bytes) -> bool:
    """Whether it can be mounted: as a disc, an image of macOS or of a virtual machine."""
    if DISC.match(head, WHERE_DISCS_SAY_SO):
        return True
    content.seek(max(0, content.seek(0, 2) - LENGTH_OF_TRAILER))
    return content.read(LENGTH_OF_TRAILER).startswith((b"koly\x00\x00\x00\x04", b"conectix"))


def is_polyglot(content: IO[bytes], head: bytes, *, is_picture: bool) -> bool:
    """Whether a picture, sound or video is a page, a script, an archive or a program as well."""
    if DOCUMENT in head[:WHERE_DOCUMENTS_BEGIN] or is_also_a_zip(content):
        return True
    content.seek(max(0, content.seek(0, 2) - EDGE))
    if MARKUP_AND_MORE.search(head[:EDGE]) or MARKUP_AND_MORE.search(content.read()):
        return True
    if b"/*" in head[:WHERE_COMMENTS_BEGIN] and contains(content, END_OF_COMMENT):
        return True
    return is_picture and contains(content, MARKUP_AND_MORE, *ARCHIVES, *PROGRAMS)
