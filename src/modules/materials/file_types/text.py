"""Text, source code in any language among it; and HTML and SVG, which are text too but not accepted.

Where HTML ends and source code begins is a matter of judgement. A text is HTML when its first element is one that
begins a page or runs something, or when it begins with a piece of a page and has nothing of a template, a component
or a Markdown text about it.
"""

import codecs
import re
from collections.abc import Iterator
from typing import IO

CHUNK = 64 * 1024
# How much of a text is looked at, from its first element on.
WINDOW = 8 * 1024

# Backspace to carriage return and escape occur in logs and manuals.
CONTROLS = re.compile("[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f\x80-\x84\x86-\x9f]")
BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

INK = re.compile("[^\\s\x00-\x1f\ufeff\u200b-\u200f\u2060]")
# What may come before the first element, how it ends, and how much of its beginning may be part of the end.
# Comments and instructions end as browsers have it, which is sooner than XML has it.
DOCTYPE = r"<!doctype\s+(?!html\b|svg\b)[^\[>]*"
SKIPPED = (
    (re.compile("<!--"), re.compile("--!?>"), 2),
    (re.compile(r"<\?xml\b", re.IGNORECASE), re.compile(r"\?>|>[^<]*?\?>|>"), 0),
    (re.compile(DOCTYPE + r"\[", re.IGNORECASE), re.compile(r"\]\s*>"), 0),
    (re.compile(DOCTYPE + ">", re.IGNORECASE), re.compile(">"), 1),
)
# In each part of a text; no honest one has as many, and each takes its time.
MAX_SKIPPED = 200
# The longest end that may be cut in two where one part of the text meets the next.
MAX_END_LENGTH = 64

PAGE = re.compile(
    r"<(!doctype\s+(html|svg)\b|([\w-]+:)?(html|svg|script)[\s>/]|hta:application\b"
    r"|(head|body|title|meta|link|base|frameset|frame|iframe|object|embed|applet|noscript)[\s>/])",
    re.IGNORECASE,
)
# A page with a word in front, which makes it something else for a machine and nothing else for a browser.
PAGE_BEHIND_A_WORD = re.compile(
    r"[^\s<>'\"`(=\[{]{1,32}\s*<(!doctype\s+html|html|head|body|svg|script)[\s>/]", re.IGNORECASE
)
# A page and what belongs to it in one letter, as browsers save it (MHTML).
HEADER = r"[\w-]{1,64}:[^\n]{0,1000}\n(?:[ \t][^\n]{0,1000}\n)*"
PAGE_IN_A_LETTER = re.compile(rf"(?:{HEADER}){{0,50}}?content-type:\s{{0,10}}multipart/related\b", re.IGNORECASE)
PIECE = re.compile(
    r"<(a|abbr|address|area|article|aside|audio|b|blockquote|br|button|canvas|center|code|dd|details|dialog|div|dl|dt"
    r"|em|fieldset|figure|font|footer|form|h[1-6]|header|hr|i|img|input|label|li|main|map|marquee|math|menu|nav|ol"
    r"|option|p|picture|pre|q|s|section|select|small|span|strong|style|sub|summary|sup|table|tbody|td|textarea|tfoot"
    r"|th|thead|tr|u|ul|video)[\s>/]",
    re.IGNORECASE,
)
ACTIVE = re.compile(
    r"<(script|iframe|object|embed|applet|svg|meta|link|base)[\s>/]|[\s/\"']on[a-z]{3,}\s*=|javascript:", re.IGNORECASE
)
OTHER_LANGUAGE = re.compile(
    r"\{\{|\{%|<%|<\?(php|=)|className=|^#{1,6} |^```|^[*-] |\]\(|<[\w:-]+\s[^<>]*\bxmlns\b", re.MULTILINE
)

# Components of Vue and Svelte begin with a script or a style of their own.
SCRIPT_OR_STYLE = re.compile(r"<(script|style)\b([^>]*)>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
COMPONENT_ATTRIBUTE = re.compile(r"\b(setup|lang|context|generics)\b|\bmodule(?=\s|$)", re.IGNORECASE)
COMPONENT_CODE = re.compile(r"^\s*(import|export)\b", re.MULTILINE)
COMPONENT_MARKUP = re.compile(r"<template[\s>]|=\{|\{[#@:/]?[\w$.][^{}\n]*\}")


class EndlessPreamble(ValueError):
    """Comment after comment, and nothing that they would be about."""


def detect_encoding(content: IO[bytes]) -> str | None:
    """The encoding of a text, `utf-8` or `utf-16`; `None` for what is no text from its first byte to its last."""
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
    """Whether a text is an HTML or SVG document, or a piece of one."""
    try:
        text = _skip_preamble(_decode(content, encoding))
    except EndlessPreamble:
        return True
    if PAGE_BEHIND_A_WORD.match(text) or PAGE_IN_A_LETTER.match(text):
        return True
    if _begins_with(text, "script", "style") and _is_component(text):
        return False
    if PAGE.match(text):
        return True
    if not PIECE.match(text):
        return False
    return ACTIVE.search(text) is not None or OTHER_LANGUAGE.search(text) is None


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
    """Raises `UnicodeDecodeError`. Leaves a byte order mark out."""
    content.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)()
    while chunk := content.read(CHUNK):
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


def _skip_preamble(parts: Iterator[str]) -> str:
    """The text from where it begins in earnest, up to a bound; however long what precedes may be."""
    text = ""
    end: re.Pattern[str] | None = None
    for part in parts:
        text += part
        position, end = _skip(text, end)
        text = text[position:]
        if end is None and len(text) >= WINDOW:
            break
    return "" if end else text[:WINDOW]


def _skip(text: str, end: re.Pattern[str] | None) -> tuple[int, re.Pattern[str] | None]:
    """Where the first element begins as far as can be told, and the end that is still looked for, if any."""
    position = 0
    for _ in range(MAX_SKIPPED):
        if end is not None:
            found = end.search(text, position)
            if found is None:
                return max(position, len(text) - MAX_END_LENGTH), end
            position, end = found.end(), None
        ink = INK.search(text, position)
        position = ink.start() if ink else len(text)
        for begin, its_end, kept in SKIPPED:
            if found := begin.match(text, position):
                position, end = found.end() - kept, its_end
                break
        else:
            return position, None
    raise EndlessPreamble
