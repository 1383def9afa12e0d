"""An upload on its way in: how large it may be, what it is, and what it is called."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.uploadhandler import FileUploadHandler

from core.errors import Invalid
from modules.materials.file_types import content_type_of

MOST_CHARACTERS_IN_NAME = 255
MOST_CHARACTERS_IN_EXTENSION = 20
# These make "annexe\u202efdp.exe" look like "annexeexe.pdf".
TURNS_TEXT_ROUND = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that was read to its end and may be stored."""

    content: "File[bytes]"
    name: str
    size: int
    sha256: str
    content_type: str


def inspect(content: "File[bytes]") -> Upload:
    """Read a file and decide whether it may be stored. Raises `Invalid` for `file`: too large, empty, or of a kind that
    is not accepted."""
    size = 0
    digest = hashlib.sha256()
    for chunk in content.chunks():
        size += len(chunk)
        if size > settings.MATERIALS_MAX_BYTES:
            raise Invalid({"file": [f"A file may have at most {_mebibytes(settings.MATERIALS_MAX_BYTES)} MiB."]})
        digest.update(chunk)
    if size == 0:
        raise Invalid({"file": ["This file is empty."]})
    content_type = content_type_of(content)
    return Upload(
        content=content,
        name=shown_name(content.name or ""),
        size=size,
        sha256=digest.hexdigest(),
        content_type=content_type,
    )


def shown_name(name: str) -> str:
    """The name that its owner gave a file, without a path and without what could deceive the eye; never empty."""
    name = re.split(r"[/\\]", name)[-1]
    name = TURNS_TEXT_ROUND.sub("", name)
    name = "".join(letter for letter in name if unicodedata.category(letter) not in {"Cc", "Cs", "Zl", "Zp"}).strip()
    if not name.strip("."):
        return "file"
    if len(name) <= MOST_CHARACTERS_IN_NAME:
        return name
    extension = PurePosixPath(name).suffix
    if len(extension) > MOST_CHARACTERS_IN_EXTENSION:
        extension = ""
    return name[: MOST_CHARACTERS_IN_NAME - len(extension)] + extension


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


def _mebibytes(number: int) -> str:
    return f"{number / 1024 / 1024:.4g}"
