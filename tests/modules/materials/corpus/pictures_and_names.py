"""Bombs, broken pictures, photos with a location, hostile names, lies about the file, and what else there is."""

import base64
import struct
import zipfile

from tests.modules.materials import photos
from tests.modules.materials.corpus.cases import (
    CANNOT_READ,
    LIMIT,
    MISSING,
    NO_FILE,
    NO_TITLE,
    TEXT,
    TOO_LARGE,
    ZIP,
    Hostile,
    refused,
    renamed,
    taken,
    too_many_pixels,
    unreadable,
)
from tests.modules.materials.corpus.contents import (
    BEYOND,
    CANNOT_BE_REMOVED,
    EICAR,
    LAUGHS,
    LOOP,
    MANY_PIXELS,
    disc_image,
    exif,
    exif_of_many_directories,
    gzip_bomb,
    icon_of_a_large_picture,
    large_gif,
    large_png,
    large_tiff,
    nested_zip,
    overlapping_zip,
    zip_of_lies,
)
from tests.modules.materials.photos import PHOTOS, chunk, directory, heif_of, png_with, tiff_entry, tiff_photo
from tests.modules.materials.samples import (
    GIF,
    LONG_LIST,
    PAGE,
    WINDOWS,
    compound,
    djvu,
    heic,
    png,
    saved,
    zipped,
    zipped_parts,
)

PICTURES_AND_NAMES: dict[str, list[Hostile]] = {
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
