"""Archives of the zip family, among them the documents of Office, OpenDocument and EPUB. They are not unpacked: of a
document, its list of parts is read, bounded."""

import re
import struct
import zipfile
import zlib
from typing import IO, cast

# Each part of the list takes memory; this is room for more than any document has.
MAX_BYTES_OF_LIST = 2 * 1024 * 1024
MAX_BYTES_OF_PART = 1024 * 1024
# Others take memory as their sender likes, and no document uses them.
COMPRESSIONS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}

CONTENT_TYPES = "[content_types].xml"
OFFICE = re.compile(
    r"application/vnd\.openxmlformats-officedocument\."
    r"(?P<kind>wordprocessingml\.(?:document|template)|spreadsheetml\.(?:sheet|template)"
    r"|presentationml\.(?:presentation|template|slideshow))\.main\+xml"
)
OPEN_DOCUMENT = re.compile(r"application/vnd\.oasis\.opendocument\.[a-z]{4,20}(-[a-z]{4,10})?")
EPUB = "application/epub+zip"
# What makes Office run something, whatever the part that holds it is called.
OFFICE_MACROS = re.compile(r"macroenabled|vbaproject|macrosheet|ms-office\.activex", re.IGNORECASE)

# Where the list of parts ends, and where it says how long a comment follows.
END_OF_LIST = b"PK\x05\x06"
END_OF_LIST_SIZE = 22
MAX_COMMENT_LENGTH = 0xFFFF
# An archive made for several disks begins with four bytes of its own.
MAX_IN_FRONT = 4

UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError),
    *(RuntimeError, OSError, EOFError, ValueError),
)


class ListTooLong(zipfile.BadZipFile):
    """Nobody looks at as many parts."""


class BoundedFile:
    """A file of which nobody reads much at once: `zipfile` reads a list of parts whole, however long it says it is."""

    def __init__(self, content: IO[bytes]) -> None:
        self.content = content
        self.seek = content.seek
        self.tell = content.tell

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size > MAX_BYTES_OF_LIST:
            raise ListTooLong
        return self.content.read(size)


def detect_zip_type(content: IO[bytes]) -> str | None:
    """The content type of a zip, `None` for one that is a program, holds macros, or cannot be read."""
    try:
        with _open_archive(content) as archive:
            return _detect_archive_type(archive)
    except UNREADABLE:
        return None


def is_also_a_zip(content: IO[bytes]) -> bool:
    """Whether the end of something else is a zip archive."""
    try:
        with _open_archive(content) as archive:
            return bool(archive.infolist())
    except ListTooLong:
        return True
    except UNREADABLE:
        return False


def is_zip_to_its_end(content: IO[bytes]) -> bool:
    """Whether it is a zip archive besides, and not one that only lies in it: behind that goes on what it lies in."""
    if not is_also_a_zip(content):
        return False
    length = content.seek(0, 2)
    content.seek(max(0, length - END_OF_LIST_SIZE - MAX_COMMENT_LENGTH))
    end = content.read()
    position = end.rfind(END_OF_LIST)
    comment = int.from_bytes(end[position + 20 : position + 22], "little")
    return position + END_OF_LIST_SIZE + comment >= len(end)


def _open_archive(content: IO[bytes]) -> zipfile.ZipFile:
    return zipfile.ZipFile(cast(IO[bytes], BoundedFile(content)))


def _detect_archive_type(archive: zipfile.ZipFile) -> str | None:
    parts = archive.infolist()
    names = [part.filename.replace("\\", "/").lstrip("/").lower() for part in parts]
    if _is_program(names) or _has_something_in_front(parts):
        return None
    lists = [part for part, name in zip(parts, names, strict=True) if name == CONTENT_TYPES]
    if lists:
        return _detect_office_type(names, [_read_part(archive, part) for part in lists])
    # It belongs at the beginning, and programs that pack a document anew put it anywhere.
    if "mimetype" in names:
        return _detect_open_document_type(names, _read_part(archive, parts[names.index("mimetype")]).strip())
    return "application/zip"


def _has_something_in_front(parts: list[zipfile.ZipInfo]) -> bool:
    return bool(parts) and min(part.header_offset for part in parts) > MAX_IN_FRONT


def _is_program(names: list[str]) -> bool:
    """Packages that a machine installs or runs: of Windows, editors, browsers, Android, Java."""
    everything = set(names)
    if everything & {"appxmanifest.xml", "extension.vsixmanifest", "install.rdf", "meta-inf/mozilla.rsa"}:
        return True
    if "androidmanifest.xml" in everything and everything & {"classes.dex", "resources.arsc"}:
        return True
    return "meta-inf/manifest.mf" in everything and any(name.endswith(".class") for name in names)


def _detect_office_type(names: list[str], lists: list[str]) -> str | None:
    if any(name.endswith("vbaproject.bin") or "/macrosheets/" in name for name in names):
        return None
    if any(OFFICE_MACROS.search(each) for each in lists):
        return None
    found = OFFICE.search(lists[0])
    # Other formats have such a list too (drawings, package feeds): they are archives like any other.
    return f"application/vnd.openxmlformats-officedocument.{found['kind']}" if found else "application/zip"


def _detect_open_document_type(names: list[str], said: str) -> str | None:
    if said == EPUB:
        return EPUB
    if OPEN_DOCUMENT.fullmatch(said) is None:
        return "application/zip"
    return None if any(name.startswith(("basic/", "scripts/")) for name in names) else said


def _read_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> str:
    """Raises `ValueError` for a part that is larger than any honest one."""
    if part.compress_type not in COMPRESSIONS:
        raise ValueError(f"{part.filename} is compressed in a way of its own")
    with archive.open(part) as opened:
        raw = opened.read(MAX_BYTES_OF_PART + 1)
    if len(raw) > MAX_BYTES_OF_PART:
        raise ValueError(f"{part.filename} is too large")
    return raw.decode("utf-16" if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8", errors="replace")
