"""Sizes as people read them."""

import pytest

from core.text.sizes import format_size


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (25 * 1024**2, "25 MiB"),
        (25 * 1024**2 - 1, "24.99 MiB"),
        (1024**3 - 1, "1023.99 MiB"),
        (2 * 1024**3, "2 GiB"),
        (5 * 1024**4, "5120 GiB"),
    ],
)
def test_in_words(size: int, words: str) -> None:
    assert format_size(size) == words


def test_what_has_to_find_room_is_rounded_up() -> None:
    assert format_size(25 * 1024**2 + 1) == "25 MiB"
    assert format_size(25 * 1024**2 + 1, round_up=True) == "25.01 MiB"
    assert format_size(25 * 1024**2, round_up=True) == "25 MiB"
