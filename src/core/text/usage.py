"""How a limit is told to whoever has reached it."""


def format_usage(most: int, used: int) -> str:
    """`of which 50 are used and 0 left`"""
    return f"of which {used:,} are used and {max(most - used, 0):,} left"
