"""Text as it is stored and compared."""

import unicodedata

# What shows nothing where a text begins or ends: all that Unicode calls white space, and what only passes for it (the
# zero-width ones, the mark that begins a file, the blanks of braille and Hangul).
BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000\u180e\u200b\u2060\ufeff\u2800\u3164\uffa0"
)


def trimmed(text: str) -> str:
    """The text without the blanks around it, of every kind: phones and clipboards append them unseen."""
    return text.strip(BLANKS)


def composed(text: str) -> str:
    """The text with each letter and its accents as one character (NFC), where some machines send several."""
    return unicodedata.normalize("NFC", text)


def storable(text: str, *, most: int) -> str:
    """The text without what no database stores, and without its middle where it is longer than `most` characters."""
    if len(text) > most:
        half = most // 2
        text = f"{text[:half]}\n[...]\n{text[-half:]}"
    return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()
