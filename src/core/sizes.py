"""Sizes of files as people read them."""

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE
GIBIBYTE = 1024 * MEBIBYTE


def in_words(size: int) -> str:
    """A number of bytes, as in `17 bytes`, `1.5 KiB`, `25 MiB` or `2 GiB`."""
    for unit, name in ((GIBIBYTE, "GiB"), (MEBIBYTE, "MiB"), (KIBIBYTE, "KiB")):
        if size >= unit:
            return f"{_short(size / unit)} {name}"
    return "1 byte" if size == 1 else f"{size} bytes"


def _short(number: float) -> str:
    # Never rounded up: what is left would be more than there is.
    return f"{int(number * 100) / 100:.2f}".rstrip("0").rstrip(".")
