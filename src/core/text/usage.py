"""How much of a limit is used, for the sentence that a member reads who has reached it."""

from collections.abc import Callable


def format_usage(most: int, used: int, *, format_amount: Callable[[int], str] = "{:,}".format) -> str:
    """Format as `of which 50 are used and 0 left`; `format_amount` writes each of the two numbers."""
    return f"of which {format_amount(used)} are used and {format_amount(max(most - used, 0))} left"
