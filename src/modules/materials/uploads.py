"""Validate uploads by size, content type and name, and remove the location from pictures."""

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
# Unicode categories of invisible characters, some of which make "annexe\u202efdp.exe" look like "annexeexe.pdf".
INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Zero-width non-joiner and joiner, which several scripts and emoji need.
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
    """Check the size and detect the type of a file, and remove the location from a picture by writing to `content`.

    Raises `Invalid` for `file`: too large, empty, of a type that is not accepted, or a picture of too many pixels.
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
    visible = (each for each in name if unicodedata.category(each) not in INVISIBLE_CATEGORIES or each in JOINERS)
    name = unicodedata.normalize("NFC", "".join(visible)).strip()
    if not name.strip("." + JOINERS):
        return "file"
    if len(name) <= MAX_NAME_LENGTH:
        return name
    extension = PurePosixPath(name).suffix
    if len(extension) > MAX_EXTENSION_LENGTH:
        extension = ""
    return name[: MAX_NAME_LENGTH - len(extension)] + extension


class BoundedUploadHandler(FileUploadHandler):
    """Discard all uploads of a form but `file`, and its bytes beyond the limit; installed before Django's handlers.

    The rest is read and dropped, so that the client gets a response instead of a closed connection.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> Any:
        if self.field_name != "file" or start > settings.MATERIALS_MAX_BYTES:
            return None
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def _check_size(content: "File[bytes]") -> int:
    """Return the size in bytes. Raises `Invalid` if the file is too large or empty."""
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
