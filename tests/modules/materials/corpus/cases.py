"""A hostile file, how it is sent, and the answer that it gets."""

from collections.abc import Callable
from dataclasses import dataclass

from modules.materials.file_types import ACCEPTED

TEXT = "text/plain; charset=utf-8"
ZIP = "application/zip"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
TOO_LARGE = "A file may have at most 25 MiB."
CANNOT_READ = "The request could not be read."
NO_FILE = "Send a file, in a form (multipart/form-data)."
NO_TITLE = "title: This field is required."
MISSING = {"title": ["This field is required."], "type": ["This field is required."]}
LIMIT = 25 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Hostile:
    """A file, how it is sent, and what is answered."""

    what: str
    content: bytes | Callable[[], bytes]
    # As it stands in the form; behind an asterisk in the way that lets it have any letter.
    name: str
    content_type_of_part: str
    more_headers_of_part: str
    content_length: str | None
    # Empty where it is taken.
    sentence: str
    # What is wrong with the request, where that is more than the file.
    error: str
    fields: dict[str, list[str]]
    served_as: str
    shown_name: str
    is_shown: bool
    comes_back: bytes | None

    def bytes_sent(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else self.content()


def refused(
    what: str,
    content: bytes | Callable[[], bytes],
    sentence: str = ACCEPTED,
    *,
    name: str = "holiday.jpg",
    error: str = "",
    fields: dict[str, list[str]] | None = None,
    part: str = "application/octet-stream",
    more: str = "",
    content_length: str | None = None,
) -> Hostile:
    return Hostile(
        what=what,
        content=content,
        name=name,
        content_type_of_part=part,
        more_headers_of_part=more,
        content_length=content_length,
        sentence=sentence,
        error=error,
        fields=fields or {},
        served_as="",
        shown_name="",
        is_shown=False,
        comes_back=None,
    )


def taken(
    what: str,
    content: bytes | Callable[[], bytes],
    served_as: str,
    *,
    name: str = "notes.txt",
    shown: str | None = None,
    is_shown: bool = False,
    comes_back: bytes | None = None,
    part: str = "application/octet-stream",
    more: str = "",
) -> Hostile:
    return Hostile(
        what=what,
        content=content,
        name=name,
        content_type_of_part=part,
        more_headers_of_part=more,
        content_length=None,
        sentence="",
        error="",
        fields={},
        served_as=served_as,
        shown_name=name if shown is None else shown,
        is_shown=is_shown,
        comes_back=comes_back,
    )


def unreadable(what: str, content: bytes, reason: str) -> Hostile:
    return refused(what, content, f"This picture cannot be read: {reason}.")


def too_many_pixels(what: str, content: bytes, size: str = "30,000 by 30,000") -> Hostile:
    return refused(what, content, f"This picture has {size} pixels. At most 120 million are accepted.")


def renamed(name: str, shown: str | None = None, *, what: str = "") -> Hostile:
    """A harmless text whose name is not."""
    return taken(what or repr(name), b"hello", TEXT, name=name, shown=shown)
