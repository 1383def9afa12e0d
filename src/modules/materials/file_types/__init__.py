"""What a file is, decided from its bytes; its name and what its sender says of it are not asked.

Only what is recognised is accepted. All of this is the second line: whatever is stored is served so that no browser
runs it (`modules.materials.api.get_file`).
"""

from typing import IO

from core.errors import Invalid
from modules.materials.file_types.compound import compound_type
from modules.materials.file_types.media import media_type
from modules.materials.file_types.signatures import HEAD, has_markup, is_program, signature_type
from modules.materials.file_types.text import is_html, read_text
from modules.materials.file_types.zips import is_also_a_zip, zip_type

ACCEPTED = (
    "Accepted are documents without macros (PDF, Word, Excel, PowerPoint, OpenDocument, RTF, EPUB), images other than"
    " SVG, audio, video, archives, and text or source code in UTF-8 other than HTML."
)
# A page is looked for so far from either end of a picture.
EDGE = 4096


def content_type_of(content: IO[bytes]) -> str:
    """The content type to store and serve. Raises `Invalid` for `file` where the kind is not accepted."""
    content_type = _recognised(content)
    content.seek(0)
    if content_type is None:
        raise Invalid({"file": [ACCEPTED]})
    return content_type


def may_be_shown(content_type: str) -> bool:
    """Whether a browser may show it in place: pictures made of pixels, sound and moving pictures, nothing else."""
    return content_type.startswith(("image/", "audio/", "video/"))


def _recognised(content: IO[bytes]) -> str | None:
    content.seek(0)
    head = content.read(HEAD)
    if head.lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"%PDF-"):
        return None if has_markup(head[:1024]) else "application/pdf"
    if head.startswith(b"{\\rtf"):
        return "application/rtf"
    encoding = read_text(content)
    if encoding is not None:
        return None if is_html(content, encoding) else f"text/plain; charset={encoding}"
    return None if is_program(head) else _recognised_binary(content, head)


def _recognised_binary(content: IO[bytes], head: bytes) -> str | None:
    if head.startswith(b"PK"):
        return zip_type(content)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return compound_type(content)
    content_type = media_type(head) or signature_type(head)
    if content_type is not None and may_be_shown(content_type) and _is_something_else_too(content, head):
        return None
    return content_type


def _is_something_else_too(content: IO[bytes], head: bytes) -> bool:
    """A picture that is a page or an archive as well is made to get past somebody."""
    content.seek(max(0, content.seek(0, 2) - EDGE))
    return has_markup(head[:EDGE]) or has_markup(content.read()) or is_also_a_zip(content)
