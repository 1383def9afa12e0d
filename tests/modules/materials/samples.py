"""Files of many kinds, made here byte by byte; none of them was ever anybody's."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from typing import Any

import pillow_heif
from PIL import Image

MAIN = "application/vnd.openxmlformats-officedocument.{}.main+xml"


def png(*, text: bytes = b"", after: bytes = b"") -> bytes:
    """One black pixel, with a comment."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    comment = chunk(b"tEXt", b"Comment\x00" + text) if text else b""
    pixels = chunk(b"IDAT", zlib.compress(b"\x00\x00"))
    return b"\x89PNG\r\n\x1a\n" + header + comment + pixels + chunk(b"IEND", b"") + after


def picture(width: int = 16, height: int = 12, *, shade: int = 0) -> Image.Image:
    """Colours that differ from one pixel to the next."""
    image = Image.new("RGB", (width, height))
    image.putdata([(x * 5 % 256, y * 7 % 256, (x * y + shade) % 256) for y in range(height) for x in range(width)])
    return image


def saved(kind: str, *, pages: int = 1, image: Image.Image | None = None, **options: Any) -> bytes:
    """A picture as Pillow writes it, or several in one file."""
    buffer = io.BytesIO()
    if pages > 1:
        options |= {"save_all": True, "append_images": [picture(shade=40 * page) for page in range(1, pages)]}
    (image or picture()).save(buffer, kind, **options)
    return buffer.getvalue()


def heic(*, pages: int = 1, **options: Any) -> bytes:
    buffer = io.BytesIO()
    heif = pillow_heif.from_pillow(picture(64, 64))
    for page in range(1, pages):
        heif.add_from_pillow(picture(64, 64, shade=40 * page))
    heif.save(buffer, **options)
    return buffer.getvalue()


def photoshop(width: int = 16, height: int = 12, *, resources: bytes = b"") -> bytes:
    """A document without layers, its pixels all black."""
    header = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, height, width, 8, 3)
    pixels = struct.pack(">H", 0) + bytes(3 * 16 * 12)
    return header + struct.pack(">II", 0, len(resources)) + resources + struct.pack(">I", 0) + pixels


def djvu() -> bytes:
    return b"AT&TFORM" + struct.pack(">I", 22) + b"DJVUINFO" + struct.pack(">IHHBBHBB", 10, 16, 12, 24, 0, 300, 22, 1)


def zipped(**parts: bytes) -> bytes:
    return zipped_parts(list(parts.items()))


def zipped_parts(parts: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in parts:
            archive.writestr(name, content)
    return buffer.getvalue()


def office(kind: str = "wordprocessingml.document", *, types: str = "", more: tuple[str, ...] = ()) -> bytes:
    """A document of Office; `types` goes into its list of content types, `more` are further parts."""
    listed = f'<Override PartName="/main.xml" ContentType="{MAIN.format(kind)}"/>{types}'
    content_types = f'<?xml version="1.0"?><Types xmlns="urn:types">{listed}</Types>'.encode()
    parts = [("[Content_Types].xml", content_types), ("main.xml", b"<document/>")]
    return zipped_parts([*parts, *((name, b"\x01\x02") for name in more)], zipfile.ZIP_DEFLATED)


def open_document(kind: str = "text", *more: str) -> bytes:
    mimetype = f"application/vnd.oasis.opendocument.{kind}".encode()
    return zipped_parts([("mimetype", mimetype), ("content.xml", b"<x/>"), *((name, b"<x/>") for name in more)])


def epub() -> bytes:
    return zipped_parts([("mimetype", b"application/epub+zip"), ("META-INF/container.xml", b"<x/>")])


def compound(streams: dict[str, bytes], storages: tuple[str, ...] = ()) -> bytes:
    """A file system in a file, as Office wrote documents before 2007; every stream is padded to 4096 bytes."""
    contents = [content.ljust(4096, b"\x00") for content in streams.values()]
    entries = [("Root Entry", 5, 0xFFFFFFFE, 0), *((name, 1, 0, 0) for name in storages)]
    directory_sectors = (len(entries) + len(streams) + 3) // 4
    table = [0xFFFFFFFD, *_chain(1, directory_sectors)]
    for name, content in zip(streams, contents, strict=True):
        entries.append((name, 2, len(table), len(content)))
        table += _chain(len(table), -(-len(content) // 512))
    assert len(table) <= 128
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, 0)
    header += struct.pack("<108I", *[0xFFFFFFFF] * 108)
    sectors = struct.pack("<128I", *table, *[0xFFFFFFFF] * (128 - len(table)))
    for name, kind, start, size in entries:
        raw = (name + "\x00").encode("utf-16-le")
        sectors += raw.ljust(64, b"\x00") + struct.pack("<HB", len(raw), kind) + bytes(49)
        sectors += struct.pack("<IQ", start, size)
    sectors = sectors.ljust((1 + directory_sectors) * 512, b"\x00")
    return header + sectors + b"".join(content.ljust(-(-len(content) // 512) * 512, b"\x00") for content in contents)


def _chain(first: int, length: int) -> list[int]:
    return [*range(first + 1, first + length), 0xFFFFFFFE]


def workbook(*sheet_kinds: int, encrypted: bool = False) -> bytes:
    """The globals of a workbook of Excel with sheets of these kinds: 0 for a worksheet, 1 for Excel 4 macros."""

    def record(kind: int, body: bytes) -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    sheets = b"".join(record(0x85, struct.pack("<IBBBB", 0, 0, kind, 1, 0) + b"S") for kind in sheet_kinds)
    secret = record(0x2F, bytes(6)) if encrypted else b""
    return record(0x809, bytes(16)) + secret + sheets + record(0x0A, b"")


def powerpoint(*, macros: bool = False) -> bytes:
    record = struct.pack("<HHIIII", 2, 0x0400, 12, 5, 1 if macros else 0, 2)
    return bytes(700) + struct.pack("<HHI", 0x1F, 0x03FF, 20) + record + bytes(700)


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("notes.txt")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"hello"))
    return buffer.getvalue()


def mp3() -> bytes:
    """Three frames at 128 kbit/s and 44.1 kHz."""
    return (b"\xff\xfb\x90\x00" + bytes(413)) * 3


def iso_media(brand: bytes) -> bytes:
    return b"\x00\x00\x00\x18ftyp" + brand + bytes(4) + brand + b"isom" + b"\x00\x00\x00\x08mdat" + bytes(64)


def riff(form: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 36) + form + b"fmt " + bytes(64)


def bitmap() -> bytes:
    return (
        b"BM"
        + struct.pack("<IHHI", 58, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 1, 1, 1, 24, 0, 4, 0, 0, 0, 0)
        + bytes(4)
    )


ELF = b"\x7fELF\x02\x01\x01" + bytes(57)
WINDOWS = b"MZ\x90\x00\x03\x00\x00\x00" + bytes(120) + b"PE\x00\x00"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type /Catalog>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"
GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff"
    b"!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
JPEG = saved("JPEG")
LONG_LIST = zipped_parts([(f"{number:0200}", b"") for number in range(9_000)])
PAGE = b"<!DOCTYPE html>\n<html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

ACCEPTED: dict[str, tuple[bytes, str]] = {
    "pdf": (PDF, "application/pdf"),
    "docx": (office(), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "xlsx": (office("spreadsheetml.sheet"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "pptx": (
        office("presentationml.presentation"),
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    "doc": (compound({"WordDocument": b"text"}), "application/msword"),
    "xls": (compound({"Workbook": workbook(0, 0)}), "application/vnd.ms-excel"),
    "ppt": (compound({"PowerPoint Document": powerpoint()}), "application/vnd.ms-powerpoint"),
    "odt": (open_document(), "application/vnd.oasis.opendocument.text"),
    "ods": (open_document("spreadsheet"), "application/vnd.oasis.opendocument.spreadsheet"),
    "epub": (epub(), "application/epub+zip"),
    "rtf": (rb"{\rtf1\ansi Hello}", "application/rtf"),
    "png": (png(), "image/png"),
    "jpg": (JPEG, "image/jpeg"),
    "gif": (GIF, "image/gif"),
    "jpg of several": (saved("MPO", pages=2), "image/jpeg"),
    "gif that moves": (saved("GIF", pages=3), "image/gif"),
    "png that moves": (saved("PNG", pages=3), "image/png"),
    "webp": (saved("WEBP"), "image/webp"),
    "webp without loss": (saved("WEBP", lossless=True), "image/webp"),
    "webp that moves": (saved("WEBP", pages=3), "image/webp"),
    "bmp": (bitmap(), "image/bmp"),
    "tiff": (saved("TIFF"), "image/tiff"),
    "tiff of several pages": (saved("TIFF", pages=3), "image/tiff"),
    "tiff of the other byte order": (saved("TIFF", big_endian=True), "image/tiff"),
    "ico": (saved("ICO", sizes=[(16, 12)]), "image/x-icon"),
    "ico with bitmaps": (saved("ICO", sizes=[(16, 12)], bitmap_format="bmp"), "image/x-icon"),
    "psd": (photoshop(), "image/vnd.adobe.photoshop"),
    "jp2": (saved("JPEG2000"), "image/jp2"),
    "heic": (heic(), "image/heic"),
    "heic of several": (heic(pages=2), "image/heic"),
    "heif": (heic().replace(b"ftypheic", b"ftypmif1"), "image/heif"),
    "avif": (saved("AVIF"), "image/avif"),
    "avif that moves": (saved("AVIF", pages=3), "image/avif"),
    "mp3": (mp3(), "audio/mpeg"),
    "mp3 with tags": (b"ID3\x03\x00\x00\x00\x00\x00\x00" + mp3(), "audio/mpeg"),
    "wav": (riff(b"WAVE"), "audio/wav"),
    "flac": (b"fLaC\x00\x00\x00\x22" + bytes(64), "audio/flac"),
    "ogg": (b"OggS\x00\x02" + bytes(22) + b"\x01vorbis" + bytes(30), "audio/ogg"),
    "m4a": (iso_media(b"M4A "), "audio/mp4"),
    "mp4": (iso_media(b"isom"), "video/mp4"),
    "mov": (iso_media(b"qt  "), "video/quicktime"),
    "webm": (b"\x1a\x45\xdf\xa3\x93\x42\x82\x84webm" + bytes(64), "video/webm"),
    "mkv": (b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska" + bytes(64), "video/x-matroska"),
    "avi": (riff(b"AVI "), "video/x-msvideo"),
    "zip": (zipped(notes=b"hello"), "application/zip"),
    "zip of a project with macros in it": (zipped_parts([("old/vbaProject.bin", b"\x01")]), "application/zip"),
    "tar": (tar(), "application/x-tar"),
    "gz": (gzip.compress(b"hello", mtime=0), "application/gzip"),
    "bz2": (bz2.compress(b"hello"), "application/x-bzip2"),
    "xz": (lzma.compress(b"hello"), "application/x-xz"),
    "7z": (b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(64), "application/x-7z-compressed"),
    "rar": (b"Rar!\x1a\x07\x01\x00" + bytes(64), "application/vnd.rar"),
}

TEXTS: dict[str, bytes] = {
    "plain": "Grüße aus Köln\n".encode(),
    "one letter": b"x",
    "blank lines": b"\n\n\n",
    "with a byte order mark": b"\xef\xbb\xbfhello",
    "csv": b"name,points\nJane,3\n",
    "json": b'{"cells": [], "nbformat": 4}',
    "markdown": b"# Title\n\n```html\n<html><body></body></html>\n```\n",
    "markdown that begins with markup": b'<p align="center">\n  <img src="logo.png">\n</p>\n\n# Title\n\nText.\n',
    "markdown that begins with a comment": b"<!-- <html> -->\n# Title\n",
    "python": b'import os\n\nPAGE = "<html><script>alert(1)</script></html>"\n',
    "shell": b"#!/bin/sh\necho hello\n",
    "coloured log": b"\x1b[31merror\x1b[0m\n",
    "java": b"public class Main { List<String> names; }",
    "c": b"#include <stdio.h>\nint main(void) { return 0; }\n",
    "php": b'<?php\necho "<html>";\n?>\n<html><body></body></html>\n',
    "jsx": b"export const App = () => <div onClick={go}><script /></div>;\n",
    "vue": b"<template>\n  <div @click='go'>{{ name }}</div>\n</template>\n<script>\nexport default {}\n</script>\n",
    "vue with its script first": b'<script setup lang="ts">\nlet x = 1\n</script>\n<template><p></p></template>\n',
    "svelte": b"<script>\n  let count = 0;\n</script>\n\n<button on:click={add}>{count}</button>\n",
    "jinja": b'{% extends "base.html" %}\n{% block body %}<script src="x.js"></script>{% endblock %}\n',
    "jinja that begins with markup": b"<ul>{% for each in all %}<li>{{ each }}</li>{% endfor %}</ul>\n",
    "erb": b"<% if user %><p><%= user.name %></p><% end %>\n",
    "xml": b'<?xml version="1.0"?>\n<project><name>x</name></project>\n',
    "xml with a doctype": b'<?xml version="1.0"?>\n<!DOCTYPE note [<!ENTITY a "b">]>\n<note>&a;</note>\n',
    "css": b"body > p { color: red }\n",
    "latex": b"\\documentclass{article}\n\\begin{document}\n",
    "a word that begins like a program": b"MZ is a pair of letters.\n",
    "utf-16": "Grüße aus Köln\n".encode("utf-16"),
}

REFUSED: dict[str, bytes] = {
    "Windows program": WINDOWS,
    "Linux program": ELF,
    "Mac program": b"\xcf\xfa\xed\xfe\x0c\x00\x00\x01" + bytes(64),
    "Mac program of the other byte order": b"\xfe\xed\xfa\xcf\x01\x00\x00\x0c" + bytes(64),
    "Mac program for two machines": b"\xca\xfe\xba\xbe\x00\x00\x00\x02" + bytes(64),
    "Java class": b"\xca\xfe\xba\xbe\x00\x00\x00\x41" + bytes(64),
    "WebAssembly": b"\x00asm\x01\x00\x00\x00" + bytes(16),
    "Android program": b"dex\n035\x00" + bytes(64),
    "Lua bytecode": b"\x1bLua\x53\x00\x19\x93\r\n\x1a\n" + bytes(32),
    "script with a program behind it": b"#!/bin/sh\nexec tail -c +40 $0\n" + ELF,
    "program that is a tar archive too": WINDOWS.ljust(257, b"\x00") + b"ustar\x0000" + bytes(300),
    "Java archive": zipped_parts([("META-INF/MANIFEST.MF", b"Main-Class: A"), ("A.class", b"\xca\xfe\xba\xbe")]),
    "Android package": zipped_parts([("AndroidManifest.xml", b"\x03\x00"), ("classes.dex", b"dex\n035\x00")]),
    "page": PAGE,
    "page in capitals": b"<HTML><BODY onload=alert(1)>",
    "page behind a byte order mark": b"\xef\xbb\xbf" + PAGE,
    "page behind blank space": b" \t\r\n" * 50_000 + PAGE,
    "page behind comments": b"<!-- a --><!-- b -->\n<!--->\n<!-->" + PAGE,
    "page behind endless comments": b"<!-- -->" * 1000 + PAGE,
    "page behind a long comment": b"<!--" + b" -- " * 50_000 + b"-->" + PAGE,
    "page behind a prolog": b'<?xml version="1.0"?>\n<!-- x -->\n<html xmlns="http://www.w3.org/1999/xhtml"></html>',
    "page behind a prolog that ends early": b"<?xml ><html><script>alert(1)</script></html>",
    "page in UTF-16": "\n<html><script>alert(1)</script></html>".encode("utf-16"),
    "page behind a word": b"GIF89a;<html><script>alert(1)</script></html>",
    "page behind a document's first bytes": b"%PDF-1.4\n<html><script>alert(1)</script></html>",
    "page without a beginning": b"<title>x</title><script>alert(1)</script>",
    "script alone": b"<script>alert(1)</script>",
    "script from elsewhere": b"<script src=//evil.example/x.js></script><template></template>",
    "picture that runs something": b'<img src=x onerror="alert(1)">',
    "frame": b"<iframe src=javascript:alert(1)></iframe>",
    "piece of a page": b"<h1>Hello</h1><p>World</p>",
    "template that runs something": b"<ul>{{ x }}<li onclick='alert(1)'></li></ul>",
    "SVG": SVG,
    "SVG behind a prolog": b'<?xml version="1.0"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x">\n' + SVG,
    "SVG behind another doctype": b'<!DOCTYPE x [<!ENTITY a "<b>">]>\n' + SVG,
    "SVG with a prefix": b'<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:script>alert(1)</s:script></s:svg>',
    "page in a picture's comment": png(text=PAGE),
    "page behind a picture": png(after=PAGE),
    "page behind a picture's first bytes": b"\x89PNG\r\n\x1a\n" + PAGE,
    "page in a sound's first bytes": b"ID3\x03\x00\x00\x00\x00\x00\x00" + PAGE + b"\x00\xff",
    "archive behind a picture": GIF + zipped(x=b"y"),
    "archive with too long a list behind a picture": png() + LONG_LIST,
    "Word with macros": office(more=("word/vbaProject.bin",)),
    "Word with macros in capitals": office(more=("WORD/VBAPROJECT.BIN",)),
    "Word with macros under another name": office(
        types='<Default Extension="dat" ContentType="application/vnd.ms-office.vbaProject"/>', more=("word/x.dat",)
    ),
    "Word made for macros": office("wordprocessingml.document", types="application/vnd.ms-word.document.macroEnabled"),
    "Excel with macros": office("spreadsheetml.sheet", more=("xl/vbaProject.bin",)),
    "Excel with a macro sheet": office("spreadsheetml.sheet", more=("xl/macrosheets/sheet1.xml",)),
    "old Word with macros": compound({"WordDocument": b"text"}, storages=("Macros", "VBA")),
    "old Excel with macros": compound({"Workbook": workbook(0)}, storages=("_VBA_PROJECT_CUR",)),
    "old Excel with a macro sheet": compound({"Workbook": workbook(0, 1)}),
    "old Excel that is encrypted": compound({"Workbook": workbook(0, encrypted=True)}),
    "old PowerPoint with macros": compound({"PowerPoint Document": powerpoint(macros=True)}),
    "installer of Windows": compound({"Property": b"x"}),
    "encrypted Word": compound({"EncryptedPackage": b"x", "EncryptionInfo": b"x"}),
    "old Word that ends too early": compound({"WordDocument": b"text"})[:700],
    "old Word that goes round in circles": compound({"WordDocument": b"x"}).replace(
        struct.pack("<II", 0xFFFFFFFD, 0xFFFFFFFE), struct.pack("<II", 0xFFFFFFFD, 1)
    ),
    "OpenDocument with macros": open_document("text", "Basic/Standard/Module1.xml"),
    "OpenDocument with scripts": open_document("text", "Scripts/python/run.py"),
    "zip that cannot be read": b"PK\x03\x04" + bytes(200),
    "zip with too long a list": LONG_LIST,
    "Word whose list is a bomb": zipped_parts(
        [("[Content_Types].xml", b" " * (4 * 1024 * 1024))], zipfile.ZIP_DEFLATED
    ),
    "Word whose list is packed strangely": zipped_parts([("[Content_Types].xml", b"<x/>")], zipfile.ZIP_LZMA),
    "shortcut of Windows": b"\x4c\x00\x00\x00\x01\x14\x02\x00" + bytes(64),
    "Python bytecode": b"\xa7\x0d\x0d\x0a" + bytes(64),
    "cursor": riff(b"ACON"),
    "picture in JPEG XL, whose pixels nothing here can count": b"\xff\x0a" + bytes(64),
    "random bytes": bytes(range(256)) * 4,
    "text with a NUL in it": b"hello\x00world",
    "text in another encoding": "Grüße".encode("latin-1"),
    "text cut in the middle of a letter": "Grüße".encode()[:3],
}
