"""An upload on its way in: how large it may be, what it is, and what it is called."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.uploadhandler import FileUploadHandler

from core.errors import Invalid
from core.text import sizes
from modules.materials.file_types import detect_content_type
from modules.materials.files.hashing import compute_hash
from modules.materials.pictures import check_pixels, remove_location

MAX_NAME_LENGTH = 255
MAX_EXTENSION_LENGTH = 20
# Letters that are not seen; some of them make "annexe\u202efdp.exe" look like "annexeexe.pdf".
INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# These two join letters and emoji, or keep them apart.
JOINERS = "\u200c\u200d"


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that was read to its end and may be stored."""

    content: "File[bytes]"
    name: str
    size: int
    sha256: str
    content_type: str


def validate_and_sanitize(content: "File[bytes]") -> Upload:
    """Read a file and decide whether it may be stored; what a picture says of where it was taken is removed from it, so
    it has to be one that can be written to.

    Raises `Invalid` for `file`: too large, empty, of a kind that is not accepted, or a picture of too many pixels.
    """
    size = _check_size(content)
    content_type = detect_content_type(content)
    check_pixels(content, content_type)
    remove_location(content, content_type)
    return Upload(
        content=content,
        name=sanitize_name(content.name or ""),
        size=size,
        sha256=_hash(content),
        content_type=content_type,
    )


def sanitize_name(name: str) -> str:
    """The name that its owner gave a file, composed, without a path and what could deceive the eye; never empty."""
    name = re.split(r"[/\\]", name)[-1]
    seen = (letter for letter in name if unicodedata.category(letter) not in INVISIBLE_CATEGORIES or letter in JOINERS)
    name = unicodedata.normalize("NFC", "".join(seen)).strip()
    if not name.strip("." + JOINERS):
        return "file"
    if len(name) <= MAX_NAME_LENGTH:
        return name
    extension = PurePosixPath(name).suffix
    if len(extension) > MAX_EXTENSION_LENGTH:
        extension = ""
    return name[: MAX_NAME_LENGTH - len(extension)] + extension


class BoundedUploadHandler(FileUploadHandler):
    """Put before the others: nothing but the `file` of a form is kept, and of it not much more than is accepted.

    What comes after is read and dropped, so that the sender gets an answer instead of a broken connection.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> Any:
        if self.field_name != "file" or start > settings.MATERIALS_MAX_BYTES:
            return None
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def _check_size(content: "File[bytes]") -> int:
    """Raises `Invalid` as soon as too much was read, and for nothing at all."""
    size = 0
    for chunk in content.chunks():
        size += len(chunk)
        if size > settings.MATERIALS_MAX_BYTES:
            raise Invalid({"file": [f"A file may have at most {sizes.format_size(settings.MATERIALS_MAX_BYTES)}."]})
    if size == 0:
        raise Invalid({"file": ["This file is empty."]})
    return size


def _hash(content: "File[bytes]") -> str:
    content.seek(0)
    return compute_hash(content)
