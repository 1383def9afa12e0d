"""How much of a limit is used, for error messages."""

from collections.abc import Callable


def format_usage(limit: int, used: int, *, format_amount: Callable[[int], str] = "{:,}".format) -> str:
    """Format as `of which 50 are used and 0 left`; `format_amount` writes each of the two numbers."""
    return f"of which {format_amount(used)} are used and {format_amount(max(limit - used, 0))} left"
