"""Numbers of things, for people."""


def format_count(count: int, noun: str) -> str:
    """The number with its noun, such as "1 session" or "3 sessions"; only for nouns that end in -s then."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
