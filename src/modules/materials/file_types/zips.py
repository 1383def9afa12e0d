"""Zip archives, among them Office documents, OpenDocument and EPUB.

They are not extracted: only the central directory and the lists of content types are read, with limits.
"""

import re
import struct
import zipfile
import zlib
from typing import IO, cast

# Each entry of the central directory takes memory; this is enough for any document.
MAX_DIRECTORY_BYTES = 2 * 1024 * 1024
MAX_MEMBER_BYTES = 1024 * 1024
# Others need memory that the sender chooses, and no document uses them.
COMPRESSIONS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}

CONTENT_TYPES = "[content_types].xml"
OFFICE = re.compile(
    r"application/vnd\.openxmlformats-officedocument\."
    r"(?P<kind>wordprocessingml\.(?:document|template)|spreadsheetml\.(?:sheet|template)"
    r"|presentationml\.(?:presentation|template|slideshow))\.main\+xml"
)
OPEN_DOCUMENT = re.compile(r"application/vnd\.oasis\.opendocument\.[a-z]{4,20}(-[a-z]{4,10})?")
EPUB = "application/epub+zip"
# Content types of macros and controls, whatever their members are called.
OFFICE_MACROS = re.compile(r"macroenabled|vbaproject|macrosheet|ms-office\.activex", re.IGNORECASE)

# The record at the end of the central directory, which a comment may follow.
END_OF_DIRECTORY = b"PK\x05\x06"
END_OF_DIRECTORY_SIZE = 22
MAX_COMMENT_LENGTH = 0xFFFF
# The marker of an archive that was made for several disks.
MAX_PREFIX_LENGTH = 4

UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError),
    *(RuntimeError, OSError, EOFError, ValueError),
)


class DirectoryTooLarge(zipfile.BadZipFile):
    """The central directory exceeds `MAX_DIRECTORY_BYTES`."""


class BoundedFile:
    """A file with a limit for each read: `zipfile` reads the central directory at once, whatever its stated size."""

    def __init__(self, content: IO[bytes]) -> None:
        self.content = content
        self.seek = content.seek
        self.tell = content.tell

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY_BYTES:
            raise DirectoryTooLarge
        return self.content.read(size)


def detect_zip_type(content: IO[bytes]) -> str | None:
    """Return the content type of a zip; `None` if it is a program, has macros, or cannot be read."""
    try:
        with _open_archive(content) as archive:
            return _detect_archive_type(archive)
    except UNREADABLE:
        return None


def contains_zip(content: IO[bytes]) -> bool:
    """Return whether zip readers find an archive in a file of another format."""
    try:
        with _open_archive(content) as archive:
            return bool(archive.infolist())
    except DirectoryTooLarge:
        return True
    except UNREADABLE:
        return False


def ends_with_zip(content: IO[bytes]) -> bool:
    """Return whether such an archive extends to the end of the file, rather than being embedded in it."""
    if not contains_zip(content):
        return False
    length = content.seek(0, 2)
    content.seek(max(0, length - END_OF_DIRECTORY_SIZE - MAX_COMMENT_LENGTH))
    end = content.read()
    position = end.rfind(END_OF_DIRECTORY)
    comment = int.from_bytes(end[position + 20 : position + 22], "little")
    return position + END_OF_DIRECTORY_SIZE + comment >= len(end)


def _open_archive(content: IO[bytes]) -> zipfile.ZipFile:
    return zipfile.ZipFile(cast(IO[bytes], BoundedFile(content)))


def _detect_archive_type(archive: zipfile.ZipFile) -> str | None:
    members = archive.infolist()
    names = [member.filename.replace("\\", "/").lstrip("/").lower() for member in members]
    if _is_program(names) or _has_prefix(members):
        return None
    content_types = [member for member, name in zip(members, names, strict=True) if name == CONTENT_TYPES]
    if content_types:
        return _detect_office_type(names, [_read_member(archive, member) for member in content_types])
    # It should be the first member, but programs that repack a document put it anywhere.
    if "mimetype" in names:
        return _detect_open_document_type(names, _read_member(archive, members[names.index("mimetype")]).strip())
    return "application/zip"


def _has_prefix(members: list[zipfile.ZipInfo]) -> bool:
    return bool(members) and min(member.header_offset for member in members) > MAX_PREFIX_LENGTH


def _is_program(names: list[str]) -> bool:
    """Return whether it is a package that can be installed or run: of Windows, editors, browsers, Android, Java."""
    unique_names = set(names)
    if unique_names & {"appxmanifest.xml", "extension.vsixmanifest", "install.rdf", "meta-inf/mozilla.rsa"}:
        return True
    if "androidmanifest.xml" in unique_names and unique_names & {"classes.dex", "resources.arsc"}:
        return True
    return "meta-inf/manifest.mf" in unique_names and any(name.endswith(".class") for name in names)


def _detect_office_type(names: list[str], content_types: list[str]) -> str | None:
    if any(name.endswith("vbaproject.bin") or "/macrosheets/" in name for name in names):
        return None
    if any(OFFICE_MACROS.search(each) for each in content_types):
        return None
    found = OFFICE.search(content_types[0])
    # Other formats have content types too (drawings, package feeds); they count as plain archives.
    return f"application/vnd.openxmlformats-officedocument.{found['kind']}" if found else "application/zip"


def _detect_open_document_type(names: list[str], media_type: str) -> str | None:
    if media_type == EPUB:
        return EPUB
    if OPEN_DOCUMENT.fullmatch(media_type) is None:
        return "application/zip"
    return None if any(name.startswith(("basic/", "scripts/")) for name in names) else media_type


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    """Read a member as text. Raises `ValueError` if it is too large, or compressed in an unusual way."""
    if member.compress_type not in COMPRESSIONS:
        raise ValueError(f"{member.filename} is compressed in a way of its own")
    with archive.open(member) as opened:
        raw = opened.read(MAX_MEMBER_BYTES + 1)
    if len(raw) > MAX_MEMBER_BYTES:
        raise ValueError(f"{member.filename} is too large")
    return raw.decode("utf-16" if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8", errors="replace")
