"""Detect the content type of a file from its bytes alone, not from its name or the type that the client sent.

Only known types are accepted. This is defense in depth: files are served with headers by which no browser runs them
(`modules.materials.api.get_file`).
"""

from typing import IO

from core.errors import Invalid
from modules.materials.file_types.compound import detect_compound_type
from modules.materials.file_types.documents import detect_pdf_type, detect_rtf_type, is_pdf, is_rtf
from modules.materials.file_types.media import detect_media_type
from modules.materials.file_types.polyglots import is_disk_image, is_polyglot
from modules.materials.file_types.signatures import HEAD_SIZE, detect_signature_type, is_program
from modules.materials.file_types.text import detect_encoding, is_html
from modules.materials.file_types.zips import detect_zip_type

ACCEPTED = (
    "Accepted are documents without macros (PDF, Word, Excel, PowerPoint, OpenDocument, RTF without objects, EPUB),"
    " images other than SVG, audio, video, archives, and text or source code in UTF-8 other than HTML."
)
# DjVu: scanned pages, which no browser shows.
NEVER_INLINE = {"image/vnd.djvu"}


def detect_content_type(content: IO[bytes]) -> str:
    """Return the content type to store and serve. Raises `Invalid` for `file` if it is not accepted."""
    content_type = _detect(content)
    content.seek(0)
    if content_type is None:
        raise Invalid({"file": [ACCEPTED]})
    return content_type


def can_be_shown_inline(content_type: str) -> bool:
    """Return whether browsers may show a type inline: raster images, audio and video."""
    return content_type.startswith(("image/", "audio/", "video/")) and content_type not in NEVER_INLINE


def _detect(content: IO[bytes]) -> str | None:
    content.seek(0)
    head = content.read(HEAD_SIZE)
    if is_pdf(head):
        content_type = detect_pdf_type(content, head)
    elif is_rtf(head):
        content_type = detect_rtf_type(content, head)
    elif encoding := detect_encoding(content):
        return None if is_html(content, encoding) else f"text/plain; charset={encoding}"
    elif is_program(head):
        return None
    else:
        content_type = _detect_binary(content, head)
    return None if is_disk_image(content, head) else content_type


def _detect_binary(content: IO[bytes], head: bytes) -> str | None:
    if head.startswith(b"PK"):
        return detect_zip_type(content)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return detect_compound_type(content)
    content_type = detect_media_type(content, head) or detect_signature_type(head)
    if content_type is None or content_type.startswith("application/"):
        return content_type
    is_picture = content_type.startswith("image/")
    return None if is_polyglot(content, head, is_picture=is_picture) else content_type
