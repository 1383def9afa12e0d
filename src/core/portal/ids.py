"""Parsing of ids in URLs and forms, which may be any text."""

# Any number of so many digits fits into a BIGINT.
MAX_DIGITS = 18


def is_too_long(text: str) -> bool:
    """Whether the text is a number with more digits than an id can have."""
    return text.isdecimal() and len(text) > MAX_DIGITS


def parse_id(text: str | None) -> int | None:
    """Return the id in a text, or `None`."""
    is_id = text is not None and text.isascii() and text.isdecimal() and not is_too_long(text)
    return int(text) if text is not None and is_id else None
