"""How large a picture is."""

from typing import NamedTuple


class Size(NamedTuple):
    """Pixels from left to right and from top to bottom, and how many frames of that size there are."""

    width: int
    height: int
    frames: int = 1
