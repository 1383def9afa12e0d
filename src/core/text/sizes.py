"""Human-readable sizes of files."""

import math

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE
GIBIBYTE = 1024 * MEBIBYTE


def format_size(size: int, *, round_up: bool = False) -> str:
    """Format a number of bytes, as in `17 bytes`, `1.5 KiB`, `25 MiB` or `2 GiB`.

    Rounds down, for what is left of a limit; with `round_up` up, for what has to fit into it.
    """
    for unit, name in ((GIBIBYTE, "GiB"), (MEBIBYTE, "MiB"), (KIBIBYTE, "KiB")):
        if size >= unit:
            return f"{_format_number(size / unit, round_up=round_up)} {name}"
    return "1 byte" if size == 1 else f"{size} bytes"


def _format_number(number: float, *, round_up: bool) -> str:
    hundredths = math.ceil(number * 100) if round_up else math.floor(number * 100)
    return f"{hundredths / 100:.2f}".rstrip("0").rstrip(".")
