"""Markup within documents is accepted; polyglots of HTML and a document are refused."""

import gzip
import io
import tarfile
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.modules.materials.conftest import MaterialsApi
from tests.modules.materials.samples import (
    PAGE,
    PDF,
    compound,
    office,
    open_document,
    saved,
    workbook,
    zipped_parts,
)

from core.errors import Invalid
from modules.materials.file_types import ACCEPTED
from modules.materials.uploads import validate_and_sanitize

TITLES = [b"<body>: the element that holds a page", b"<html> <head> <script> and <svg >", b"<!DOCTYPE html> (HTML)"]
CATALOG = b"1 0 obj\n<</Type /Catalog /Pages 2 0 R>>\nendobj\n"
PAGES = b"2 0 obj\n<</Type /Pages /Kids [] /Count 0>>\nendobj\n"


def pdf(*objects: bytes, head: bytes = b"%PDF-1.4\n%\xd3\xeb\xe9\xe1\n") -> bytes:
    """A PDF with these objects and their cross-reference table."""
    body, places = head, {}
    for each in objects:
        places[int(each.split(b" ", 1)[0])] = len(body)
        body += each
    table = b"".join(b"%010d 00000 n \n" % places[number] for number in sorted(places))
    size = len(places) + 1
    end = b"trailer\n<</Size %d /Root 1 0 R /Info 3 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + end


def information(title: bytes) -> bytes:
    """A PDF like those that browsers print."""
    return (
        b"3 0 obj\n<</Title (" + title.replace(b"(", b"\\(").replace(b")", b"\\)") + b")\n/Creator (Mozilla/5.0)\n"
        b"/Producer (Skia/PDF m120)\n/CreationDate (D:20240112100000+00'00')>>\nendobj\n"
    )


def stream(number: int, content: bytes, *, line_end: bytes = b"\n") -> bytes:
    head = b"%d 0 obj\n<</Length %d>>\nstream" % (number, len(content))
    return head + line_end + content + b"\nendstream\nendobj\n"


def metadata(title: bytes) -> bytes:
    return b"<?xpacket begin=''?><x:xmpmeta><dc:title>" + title + b"</dc:title></x:xmpmeta><?xpacket end='w'?>"


LAYOUTS: dict[str, Callable[[bytes], bytes]] = {
    "title first": lambda title: pdf(information(title), CATALOG, PAGES),
    "title last": lambda title: pdf(CATALOG, PAGES, information(title)),
    "title with brackets in it": lambda title: pdf(b"3 0 obj<</Title (a (" + title + b") b)>>endobj\n", CATALOG, PAGES),
    "title with a bracket that is a letter": lambda title: pdf(
        b"3 0 obj\n<</Title (\\) " + title.replace(b"(", b"").replace(b")", b"") + b")>>\nendobj\n", CATALOG, PAGES
    ),
    "metadata first": lambda title: pdf(stream(4, metadata(title)), information(title), CATALOG, PAGES),
    "metadata first, lines as of Windows": lambda title: pdf(
        stream(4, metadata(title), line_end=b"\r\n"), information(title), CATALOG, PAGES
    ),
    "metadata that goes on and on": lambda title: pdf(
        stream(4, metadata(title) + b" " * 100_000), information(title), CATALOG, PAGES
    ),
    "text of a page first": lambda title: pdf(
        stream(4, b"BT (" + title + b") Tj ET"), information(title), CATALOG, PAGES
    ),
    "bookmarks first": lambda title: pdf(
        b"4 0 obj\n<</Title (One) /Parent 5 0 R>>\nendobj\n", b"5 0 obj\n[(" + title + b")]\nendobj\n", CATALOG, PAGES
    ),
    "no comment behind the first line": lambda title: pdf(information(title), CATALOG, PAGES, head=b"%PDF-1.7\r"),
    "a byte order mark in front": lambda title: b"\xef\xbb\xbf" + pdf(information(title), CATALOG, PAGES),
    "saved twice": lambda title: pdf(CATALOG, PAGES) + information(title) + b"startxref\n9\n%%EOF\n",
    "pictures, by a library": lambda title: saved("PDF", title=title.decode(), author=title.decode()),
}


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_pdf_with_markup_in_its_title_is_accepted(layout: str, title: bytes) -> None:
    content = LAYOUTS[layout](title)
    assert validate_and_sanitize(SimpleUploadedFile("print.pdf", content)).content_type == "application/pdf"


def test_a_pdf_printed_by_a_browser_is_accepted(creator: MaterialsApi, stored: Callable[[], list[bytes]]) -> None:
    content = LAYOUTS["title first"](b"<body>: the document body element - HTML | MDN")
    response = creator.add_file("body.pdf", content)
    assert response.status_code == 201, response.json()
    assert stored() == [content]


def tar_of_a_page() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("<body>.html")
        member.size = len(PAGE)
        archive.addfile(member, io.BytesIO(PAGE))
    return buffer.getvalue()


def gz_of_a_page() -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile("<body> <html>.html", "wb", fileobj=buffer, mtime=0) as packed:
        packed.write(PAGE)
    return buffer.getvalue()


OTHERS: dict[str, tuple[bytes, str]] = {
    "rtf with it as title": (rb"{\rtf1\ansi{\info{\title <body>: x}}Hello}", "application/rtf"),
    "rtf about pages": (
        rb"{\rtf1\ansi Write <html> <body> and <script>alert(1)</script>.}" + b"\r\n\x00",
        "application/rtf",
    ),
    "rtf with braces that are letters": (rb"{\rtf1 \} <body > \{\\}", "application/rtf"),
    "rtf with bytes in it": (rb"{\rtf1{\pict\bin8 }}}}<b>}} <body>x}", "application/rtf"),
    "rtf that is long": (rb"{\rtf1 <body> " + rb"{\b x}" * 60_000 + b"}", "application/rtf"),
    "word": (
        office(types='<Override PartName="/&lt;html&gt;.xml" ContentType="application/xml"/>', more=("<body>.xml",)),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    "OpenDocument": (open_document("text", "<body>.xml"), "application/vnd.oasis.opendocument.text"),
    "OpenDocument that was packed anew": (
        zipped_parts([("content.xml", PAGE), ("mimetype", b"application/vnd.oasis.opendocument.text")]),
        "application/vnd.oasis.opendocument.text",
    ),
    "EPUB that was packed anew": (
        zipped_parts([("chapter.xhtml", PAGE), ("mimetype", b"application/epub+zip")]),
        "application/epub+zip",
    ),
    "old Word": (compound({"WordDocument": PAGE, "SummaryInformation": PAGE}), "application/msword"),
    "old Excel": (compound({"SummaryInformation": PAGE, "Workbook": workbook(0)}), "application/vnd.ms-excel"),
    "zip": (zipped_parts([("<body>.html", PAGE)]), "application/zip"),
    "tar": (tar_of_a_page(), "application/x-tar"),
    "gz that keeps a name": (gz_of_a_page(), "application/gzip"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_documents_and_archives_that_contain_markup_are_accepted(kind: str) -> None:
    content, content_type = OTHERS[kind]
    assert validate_and_sanitize(SimpleUploadedFile("unnamed", content)).content_type == content_type


POLYGLOTS: dict[str, bytes] = {
    "a page, then a PDF": PAGE + pdf(information(b"x"), CATALOG, PAGES),
    "a PDF, then a page": pdf(information(b"x"), CATALOG, PAGES) + PAGE,
    "a page between the first line and the objects": pdf(CATALOG, PAGES, head=b"%PDF-1.4\n" + PAGE + b"\n"),
    "a page in a comment": pdf(CATALOG, PAGES, head=b"%PDF-1.4\n% <html><script>alert(1)</script>\n"),
    "a page in a comment of an object": pdf(b"3 0 obj\n% <html><script>alert(1)</script>\n<<>>\nendobj\n", CATALOG),
    "a page between objects": pdf(CATALOG, PAGES.replace(b"endobj\n", b"endobj\n<html><body onload=alert(1)>\n")),
    "a page in the place of an object": pdf(b"3 0 obj\n<html><script>alert(1)</script>\nendobj\n", CATALOG),
    "a page in a string that does not end": b"%PDF-1.4\n1 0 obj\n(<html><script>alert`1`</script></html>",
    "a page in a stream that does not end": b"%PDF-1.4\n1 0 obj\n<<>>stream\n<html><script>alert(1)</script></html>",
    "a page in a string of no object": b"%PDF-1.4\n(<html><script>alert(1)</script></html>)\n" + PDF[9:],
    "an RTF, then a page": rb"{\rtf1 Hello}" + PAGE,
    "an RTF with braces, then a page with some": rb"{\rtf1 \{ }<html><script>{alert(1)}</script></html>",
    "an RTF that does not end, and a page": rb"{\rtf1{" + PAGE,
    "an RTF of more braces than anybody counts": rb"{\rtf1" + b"{}" * 1_000_001 + b"}" + PAGE,
    "OpenDocument with macros that was packed anew": zipped_parts(
        [("Basic/Module1.xml", b"<x/>"), ("mimetype", b"application/vnd.oasis.opendocument.text")]
    ),
}


@pytest.mark.parametrize("kind", POLYGLOTS)
def test_a_polyglot_of_html_and_a_document_is_refused(kind: str) -> None:
    with pytest.raises(Invalid) as error:
        validate_and_sanitize(SimpleUploadedFile("slides.pdf", POLYGLOTS[kind]))
    assert error.value.fields == {"file": [ACCEPTED]}


@pytest.mark.parametrize(
    "nasty", [b"1 0 obj (", b"1 0 obj <<", b"(" * 60, b"1 " * 30, b"1" + b" " * 50, b"<a", b"stream\n"]
)
def test_a_pdf_made_to_be_slow_is_parsed_quickly(nasty: bytes) -> None:
    content = b"%PDF-1.4\n<html>" + nasty * (64_000 // len(nasty))
    with pytest.raises(Invalid):
        validate_and_sanitize(SimpleUploadedFile("slides.pdf", content))
