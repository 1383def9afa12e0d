"""The size of a picture."""

from typing import NamedTuple


class Size(NamedTuple):
    """Width and height in pixels, and the number of frames of that size."""

    width: int
    height: int
    frames: int = 1
