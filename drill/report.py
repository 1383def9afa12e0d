"""The table at the end."""

from collections.abc import Iterator

from drill.counting import Counts

# Of one counter, how many findings are shown in words.
SHOWN = 5


def table(name: str, counts: Counts) -> Iterator[str]:
    """The lines of one database's table: the figures, then what has to be zero, with the first findings in words."""
    yield f"{name}: {'passed' if counts.is_clean else 'FAILED'}"
    width = max(map(len, [*counts.figures, *counts.bad]))
    for figure, value in counts.figures.items():
        yield f"  {figure:<{width}}  {value}"
    yield "  " + "-" * (width + 8)
    for counter, findings in counts.bad.items():
        yield f"  {counter:<{width}}  {len(findings)}"
        yield from (f"      {finding}" for finding in findings[:SHOWN])
