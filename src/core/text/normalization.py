"""Text as it is stored and compared."""

import unicodedata

# What shows nothing where a text begins or ends: all that Unicode calls white space, and what only passes for it (the
# zero-width ones, the mark that begins a file, the blanks of braille and Hangul).
BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000\u180e\u200b\u2060\ufeff\u2800\u3164\uffa0"
)
# To normalise a text takes time that grows with the square of its accents, and no line has so many characters.
MOST_NORMALIZED = 2000

# Of a text of several lines: what ends a line where it was written becomes a line break, and what shows nothing goes.
# JSON would write most of it in six bytes.
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160)))
_LINES = str.maketrans({**_CONTROLS, **dict.fromkeys("\t\n\r"), **dict.fromkeys("\v\f\x85", "\n")})
for _kept in map(ord, "\t\n\r"):
    del _LINES[_kept]


def strip_blanks(text: str) -> str:
    """The text without the blanks around it, of every kind: phones and clipboards append them unseen."""
    return text.strip(BLANKS)


def compose(text: str) -> str:
    """The text with each letter and its accents as one character (NFC), where some machines send several.

    One that is longer than any line stays as it is.
    """
    return unicodedata.normalize("NFC", text) if len(text) <= MOST_NORMALIZED else text


def normalize_line(text: str) -> str:
    """A single line for people as it is stored and compared: `trimmed` and `composed`."""
    return compose(strip_blanks(text))


def build_search_key(text: str) -> str:
    """What of a text is searched: its letters, whatever their case, however an accent was sent.

    Python folds them, since the databases do not agree about letters beyond ASCII.
    """
    return compose(compose(text).casefold())


def make_storable(text: str, *, most: int) -> str:
    """The text without what no database stores, and without its middle where it is longer than `most` characters."""
    if len(text) > most:
        half = most // 2
        text = f"{text[:half]}\n[...]\n{text[-half:]}"
    return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()


def normalize_lines(text: str) -> str:
    """A text of several lines as it is stored: with line breaks and tabs for its only control characters."""
    return text.translate(_LINES)
