"""Sizes of files as people read them."""

import math

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE
GIBIBYTE = 1024 * MEBIBYTE


def format_size(size: int, *, up: bool = False) -> str:
    """A number of bytes, as in `17 bytes`, `1.5 KiB`, `25 MiB` or `2 GiB`.

    Never more than it is, as for what is left; with `up` never less, as for what shall go into that.
    """
    for unit, name in ((GIBIBYTE, "GiB"), (MEBIBYTE, "MiB"), (KIBIBYTE, "KiB")):
        if size >= unit:
            return f"{_short(size / unit, up=up)} {name}"
    return "1 byte" if size == 1 else f"{size} bytes"


def _short(number: float, *, up: bool) -> str:
    hundredths = math.ceil(number * 100) if up else math.floor(number * 100)
    return f"{hundredths / 100:.2f}".rstrip("0").rstrip(".")
