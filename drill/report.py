"""The printed table of a drill."""

from collections.abc import Iterator

from drill.counting import Counts

# The most descriptions per counter.
MAX_SHOWN = 5


def build_table(name: str, counts: Counts) -> Iterator[str]:
    """Yield the lines for one database: the figures, then each counter with the first of its violations."""
    yield f"{name}: {'passed' if counts.is_clean else 'FAILED'}"
    width = max(map(len, [*counts.figures, *counts.violations]))
    for figure, value in counts.figures.items():
        yield f"  {figure:<{width}}  {value}"
    yield "  " + "-" * (width + 8)
    for counter, violations in counts.violations.items():
        yield f"  {counter:<{width}}  {len(violations)}"
        yield from (f"      {violation}" for violation in violations[:MAX_SHOWN])
