"""Validate uploads: their size, content type, name, and what pictures say of where they were taken."""

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
# Unicode categories of characters that show nothing; some of them make "annexe\u202efdp.exe" look like "annexeexe.pdf".
INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# These two join letters and emoji, or keep them apart.
JOINERS = "\u200c\u200d"


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A validated file that may be stored."""

    content: "File[bytes]"
    name: str
    size: int
    sha256: str
    content_type: str


def validate_and_sanitize(content: "File[bytes]") -> Upload:
    """Check the size and detect the type of a file, and remove from a picture where it was taken.

    Writes to `content`, which therefore has to be writable.

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
    """Return a file name in NFC without a path and without invisible characters; never empty."""
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
