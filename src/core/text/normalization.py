"""Normalization of text for storing and comparing."""

import unicodedata

# Invisible at the start or end of a text: Unicode's white space, and characters that look like it (zero-width ones, the
# byte order mark, the blanks of braille and Hangul).
BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000\u180e\u200b\u2060\ufeff\u2800\u3164\uffa0"
)
# In characters. NFC takes time that is quadratic in the number of accents, and no line is as long.
MAX_COMPOSED_LENGTH = 2000

# For texts of several lines: other line separators become line breaks, other control characters are removed. JSON would
# escape most of them with six bytes.
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160)))
_LINES = str.maketrans({**_CONTROLS, **dict.fromkeys("\t\n\r"), **dict.fromkeys("\v\f\x85", "\n")})
for _kept in map(ord, "\t\n\r"):
    del _LINES[_kept]


def strip_blanks(text: str) -> str:
    """Strip blanks of every kind, which phones and clipboards append invisibly."""
    return text.strip(BLANKS)


def compose(text: str) -> str:
    """Compose each letter and its accents to one character (NFC).

    A text longer than `MAX_COMPOSED_LENGTH` is returned as it is.
    """
    return unicodedata.normalize("NFC", text) if len(text) <= MAX_COMPOSED_LENGTH else text


def normalize_line(text: str) -> str:
    """Normalize a text of one line: strip blanks and compose."""
    return compose(strip_blanks(text))


def build_search_key(text: str) -> str:
    """Build the key by which a text is searched: composed and case-folded.

    Python folds the case, since databases differ beyond ASCII.
    """
    return compose(compose(text).casefold())


def make_storable(text: str, *, max_length: int) -> str:
    """Escape characters that a database refuses, and cut the middle out of a text beyond `max_length` characters."""
    if len(text) > max_length:
        half = max_length // 2
        text = f"{text[:half]}\n[...]\n{text[-half:]}"
    return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()


def normalize_lines(text: str) -> str:
    """Normalize a text of several lines: remove control characters but line breaks and tabs."""
    return text.translate(_LINES)
