"""Counts with their nouns."""


def format_count(count: int, noun: str) -> str:
    """Format as "1 session" or "3 sessions"; only for nouns with a plural in -s."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
