"""Ids as addresses and forms name them, which may be any text."""

# What every database takes, and Python reads as a number.
MOST_DIGITS = 18


def is_endless(text: str) -> bool:
    """A number that is the id of nothing, since it is longer than any can be."""
    return text.isdecimal() and len(text) > MOST_DIGITS


def parse_id(text: str | None) -> int | None:
    """The id that a text names, `None` for what is none."""
    is_id = text is not None and text.isascii() and text.isdecimal() and not is_endless(text)
    return int(text) if text is not None and is_id else None
