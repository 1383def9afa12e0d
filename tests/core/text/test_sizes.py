"""Human-readable sizes."""

import pytest

from core.text.sizes import format_size


@pytest.mark.parametrize(
    ("size", "text"),
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
def test_a_size_is_rounded_down_to_the_largest_unit(size: int, text: str) -> None:
    assert format_size(size) == text


def test_a_size_may_be_rounded_up() -> None:
    assert format_size(25 * 1024**2 + 1) == "25 MiB"
    assert format_size(25 * 1024**2 + 1, round_up=True) == "25.01 MiB"
    assert format_size(25 * 1024**2, round_up=True) == "25 MiB"
