"""Tell text, including source code, from HTML and SVG, which are not accepted.

This is a heuristic. A text is HTML if its first element begins a page or runs something, or if it begins with another
element and has no signs of a template, a component or Markdown.
"""

import codecs
import re
from collections.abc import Iterator
from typing import IO

CHUNK_SIZE = 64 * 1024
# How much of a text is examined, from its first element on.
WINDOW_SIZE = 8 * 1024

# Without backspace to carriage return and escape, which occur in logs and manuals.
CONTROLS = re.compile("[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f\x80-\x84\x86-\x9f]")
BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

VISIBLE = re.compile("[^\\s\x00-\x1f\ufeff\u200b-\u200f\u2060]")
# What may precede the first element: its start, its end, and how many characters of the start may belong to the end.
# Comments and processing instructions end as in browsers, which is earlier than in XML.
DOCTYPE = r"<!doctype\s+(?!html\b|svg\b)[^\[>]*"
SKIPPED = (
    (re.compile("<!--"), re.compile("--!?>"), 2),
    (re.compile(r"<\?xml\b", re.IGNORECASE), re.compile(r"\?>|>[^<]*?\?>|>"), 0),
    (re.compile(DOCTYPE + r"\[", re.IGNORECASE), re.compile(r"\]\s*>"), 0),
    (re.compile(DOCTYPE + ">", re.IGNORECASE), re.compile(">"), 1),
)
# In each chunk of a text; bounds the time.
MAX_SKIPPED = 200
# The longest end that may span two chunks.
MAX_END_LENGTH = 64

HTML_START = re.compile(
    r"<(!doctype\s+(html|svg)\b|([\w-]+:)?(html|svg|script)[\s>/]|hta:application\b"
    r"|(head|body|title|meta|link|base|frameset|frame|iframe|object|embed|applet|noscript)[\s>/])",
    re.IGNORECASE,
)
# A page after a word, which browsers ignore and type detection need not.
HTML_AFTER_WORD = re.compile(
    r"[^\s<>'\"`(=\[{]{1,32}\s*<(!doctype\s+html|html|head|body|svg|script)[\s>/]", re.IGNORECASE
)
# A page with its resources in one MIME message, as browsers save it.
HEADER = r"[\w-]{1,64}:[^\n]{0,1000}\n(?:[ \t][^\n]{0,1000}\n)*"
MHTML = re.compile(rf"(?:{HEADER}){{0,50}}?content-type:\s{{0,10}}multipart/related\b", re.IGNORECASE)
HTML_FRAGMENT = re.compile(
    r"<(a|abbr|address|area|article|aside|audio|b|blockquote|br|button|canvas|center|code|dd|details|dialog|div|dl|dt"
    r"|em|fieldset|figure|font|footer|form|h[1-6]|header|hr|i|img|input|label|li|main|map|marquee|math|menu|nav|ol"
    r"|option|p|picture|pre|q|s|section|select|small|span|strong|style|sub|summary|sup|table|tbody|td|textarea|tfoot"
    r"|th|thead|tr|u|ul|video)[\s>/]",
    re.IGNORECASE,
)
ACTIVE_CONTENT = re.compile(
    r"<(script|iframe|object|embed|applet|svg|meta|link|base)[\s>/]|[\s/\"']on[a-z]{3,}\s*=|javascript:", re.IGNORECASE
)
TEMPLATE_OR_MARKDOWN = re.compile(
    r"\{\{|\{%|<%|<\?(php|=)|className=|^#{1,6} |^```|^[*-] |\]\(|<[\w:-]+\s[^<>]*\bxmlns\b", re.MULTILINE
)

# Components of Vue and Svelte begin with a script or a style.
SCRIPT_OR_STYLE = re.compile(r"<(script|style)\b([^>]*)>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
COMPONENT_ATTRIBUTE = re.compile(r"\b(setup|lang|context|generics)\b|\bmodule(?=\s|$)", re.IGNORECASE)
COMPONENT_CODE = re.compile(r"^\s*(import|export)\b", re.MULTILINE)
COMPONENT_MARKUP = re.compile(r"<template[\s>]|=\{|\{[#@:/]?[\w$.][^{}\n]*\}")


class EndlessPreamble(ValueError):
    """There are more comments and declarations than are skipped."""


def detect_encoding(content: IO[bytes]) -> str | None:
    """Return the encoding of a text, `utf-8` or `utf-16`; `None` if any byte of the file is not text."""
    content.seek(0)
    encoding = "utf-16" if content.read(2) in BYTE_ORDER_MARKS else "utf-8"
    try:
        for part in _decode(content, encoding):
            if CONTROLS.search(part):
                return None
    except UnicodeDecodeError:
        return None
    return encoding


def is_html(content: IO[bytes], encoding: str) -> bool:
    """Return whether a text is an HTML or SVG document or a fragment of one."""
    try:
        text = _skip_preamble(_decode(content, encoding))
    except EndlessPreamble:
        return True
    if HTML_AFTER_WORD.match(text) or MHTML.match(text):
        return True
    if _begins_with(text, "script", "style") and _is_component(text):
        return False
    if HTML_START.match(text):
        return True
    if not HTML_FRAGMENT.match(text):
        return False
    return ACTIVE_CONTENT.search(text) is not None or TEMPLATE_OR_MARKDOWN.search(text) is None


def _is_component(text: str) -> bool:
    blocks = list(SCRIPT_OR_STYLE.finditer(text))
    if not blocks or any(re.search(r"\bsrc\s*=", attributes) for _, attributes, _ in (b.groups() for b in blocks)):
        return False
    if any(COMPONENT_ATTRIBUTE.search(block[2]) or COMPONENT_CODE.search(block[3]) for block in blocks):
        return True
    return COMPONENT_MARKUP.search(SCRIPT_OR_STYLE.sub("", text)) is not None


def _begins_with(text: str, *elements: str) -> bool:
    return re.match(rf"<({'|'.join(elements)})[\s>]", text, re.IGNORECASE) is not None


def _decode(content: IO[bytes], encoding: str) -> Iterator[str]:
    """Yield the text in chunks, without a byte order mark. Raises `UnicodeDecodeError`."""
    content.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)()
    while chunk := content.read(CHUNK_SIZE):
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


def _skip_preamble(parts: Iterator[str]) -> str:
    """Return up to `WINDOW_SIZE` characters from the first element on, however much precedes it."""
    text = ""
    end: re.Pattern[str] | None = None
    for part in parts:
        text += part
        position, end = _skip(text, end)
        text = text[position:]
        if end is None and len(text) >= WINDOW_SIZE:
            break
    return "" if end else text[:WINDOW_SIZE]


def _skip(text: str, end: re.Pattern[str] | None) -> tuple[int, re.Pattern[str] | None]:
    """Return the position after comments and declarations, and the end pattern of an unfinished one, if any."""
    position = 0
    for _ in range(MAX_SKIPPED):
        if end is not None:
            found = end.search(text, position)
            if found is None:
                return max(position, len(text) - MAX_END_LENGTH), end
            position, end = found.end(), None
        visible = VISIBLE.search(text, position)
        position = visible.start() if visible else len(text)
        for begin, end_pattern, overlap in SKIPPED:
            if found := begin.match(text, position):
                position, end = found.end() - overlap, end_pattern
                break
        else:
            return position, None
    raise EndlessPreamble
