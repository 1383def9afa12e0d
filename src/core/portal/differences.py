"""Differences of fields as HTML: short values before and after, long texts with the changed words marked.

Values are members' input: they are escaped, and the cost of comparing is bounded (docs/decisions/own-differences.md).
"""

import json
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.portal.times import format_local

# The values before and after by the name of the field, as the record of facts stores them in JSON.
Changes = Mapping[str, Sequence[Any]]

# In characters. A longer text, or one of several lines, is shown once, with its changes marked.
MAX_SHORT_LENGTH = 80
# In characters: the rest of a text is not compared. A note may be longer.
MAX_READ = 20_000
# In tokens, between the common beginning and end: about a long description.
MAX_COMPARED = 2_000
# How many changed passages are marked; the rest of the text counts as one.
MAX_MARKED = 100
# In characters of a removed or added passage.
MAX_SHOWN = 2_000
# In characters: what a page shows in full, and of each value after that.
BUDGET = 15_000
SHORTENED = 40
# In characters, around a change.
CONTEXT = 80
# Of the recursion.
MAX_DEPTH = 6

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
TOKEN = re.compile(r"\s+|\w+|[^\w\s]")

EMPTY = SafeString("")

Tokens = list[str]
# The tokens before and after; equal if the passage is unchanged.
Passage = tuple[Tokens, Tokens]


@dataclass(frozen=True, kw_only=True)
class Wording:
    """The labels of a module's fields, and of the values of its choices."""

    labels: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The change of one field. `marked` is HTML with both texts merged; it is empty for short values."""

    label: str
    before: str
    after: str
    marked: SafeString = EMPTY


class Budget:
    """How many characters a page still shows in full."""

    def __init__(self, characters: int = BUDGET) -> None:
        self.left = characters

    def allows(self, characters: int) -> bool:
        """Spend the characters; return whether any were left before."""
        had_some_left = self.left > 0
        self.left -= characters
        return had_some_left


def list_differences(
    changes: Changes, wording: Wording | None = None, *, budget: Budget | None = None
) -> list[Difference]:
    """Build the differences, with instants in the current time zone; values that are no pair are ignored.

    All changes on a page share one `budget`.
    """
    wording = wording or Wording()
    budget = budget or Budget()
    return [
        _build_difference(name, pair[0], pair[1], wording, budget)
        for name, pair in changes.items()
        if isinstance(pair, list | tuple) and len(pair) == 2
    ]


def mark_changes(before: str, after: str) -> SafeString:
    """Merge both texts as HTML, with removed passages in `<del>` and added ones in `<ins>`; long passages are cut."""
    is_cut = max(len(before), len(after)) > MAX_READ
    passages = _limit_passages(_join_passages(_compare(_tokenize(before), _tokenize(after))))
    last = len(passages) - 1
    shown = format_html_join(
        "",
        "{}",
        ((_mark_passage(*passage, is_first=at == 0, is_last=at == last),) for at, passage in enumerate(passages)),
    )
    return format_html("{} […]", shown) if is_cut else shown


def _build_difference(name: str, before: Any, after: Any, wording: Wording, budget: Budget) -> Difference:
    label = wording.labels.get(name) or name.replace("_", " ").capitalize()
    was, became = (_format_value(value, wording.choices.get(name, {})) for value in (before, after))
    if not budget.allows(len(was) + len(became)):
        return _shorten_difference(label, was, became)
    texts = [value for value in (before, after) if value is not None]
    is_long = any(isinstance(text, str) and (len(text) > MAX_SHORT_LENGTH or "\n" in text) for text in texts)
    if is_long and all(isinstance(text, str) for text in texts):
        return Difference(label=label, before=was, after=became, marked=mark_changes(before or "", after or ""))
    return Difference(label=label, before=was, after=became)


def _shorten_difference(label: str, before: str, after: str) -> Difference:
    was, became = (f"{text[:SHORTENED]} […]" if len(text) > SHORTENED else text for text in (before, after))
    return Difference(label=label, before=was, after=became if became != was else "changed further on")


def _format_value(value: Any, choices: Mapping[str, str]) -> str:
    match value:
        case bool():
            text = "yes" if value else "no"
        case None | str() | list() | dict() if not value:
            text = "nothing"
        case str():
            text = choices.get(value) or _format_instant(value)
        case list():
            text = ", ".join(_format_value(each, choices) for each in value)
        case _:
            text = json.dumps(value, default=str, ensure_ascii=False)
    return text


def _format_instant(value: str) -> str:
    """Format an instant in the current time zone; return any other text unchanged."""
    if not INSTANT.fullmatch(value):
        return value
    try:
        return format_local(datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        return value


# --- Patience diff ----------------------------------------------------------------------------------------------
#
# Tokens that occur once in each text are anchors; the passages between them are compared recursively. A passage without
# an anchor counts as changed. The time is bounded however often tokens are repeated.


def _tokenize(text: str) -> Tokens:
    return TOKEN.findall(text[:MAX_READ])


def _compare(before: Tokens, after: Tokens, depth: int = 0) -> Iterator[Passage]:
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    if start:
        yield before[:start], before[:start]
    yield from _compare_between_anchors(before[start : len(before) - end], after[start : len(after) - end], depth)
    if end:
        yield before[-end:], before[-end:]


def _compare_between_anchors(before: Tokens, after: Tokens, depth: int) -> Iterator[Passage]:
    is_compared = depth < MAX_DEPTH and max(len(before), len(after)) <= MAX_COMPARED
    anchors = _find_anchors(before, after) if is_compared else []
    if not anchors:
        if before or after:
            yield before, after
        return
    for (one, other), (next_one, next_other) in pairwise([(0, 0), *anchors, (len(before), len(after))]):
        yield from _compare(before[one:next_one], after[other:next_other], depth + 1)


def _find_anchors(before: Tokens, after: Tokens) -> list[tuple[int, int]]:
    """Find the positions of tokens that occur once in each text, as many as have the same order in both."""
    once_after = {word for word, times in Counter(after).items() if times == 1 and not word.isspace()}
    once = {word for word, times in Counter(before).items() if times == 1} & once_after
    positions = {word: at for at, word in enumerate(after) if word in once}
    return _find_longest_increasing_subsequence(
        [(at, positions[word]) for at, word in enumerate(before) if word in once]
    )


def _find_longest_increasing_subsequence(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest subsequence that increases in the second number; the pairs are sorted by the first."""
    lowest: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for index, (_, value) in enumerate(pairs):
        length = bisect_left(lowest, value)
        previous.append(ends[length - 1] if length else -1)
        lowest[length : length + 1] = [value]
        ends[length : length + 1] = [index]
    rising = []
    index = ends[-1] if ends else -1
    while index >= 0:
        rising.append(pairs[index])
        index = previous[index]
    return rising[::-1]


def _join_passages(passages: Iterator[Passage]) -> list[Passage]:
    """Join adjacent passages of one kind; unchanged whitespace between two changes joins them."""
    joined: list[tuple[Tokens, Tokens, bool]] = []
    for before, after in passages:
        is_unchanged = before == after
        if joined and joined[-1][2] == is_unchanged:
            joined[-1] = (joined[-1][0] + before, joined[-1][1] + after, is_unchanged)
        elif not is_unchanged and len(joined) > 1 and "".join(joined[-1][0]).isspace():
            space = joined.pop()[0]
            joined[-1] = (joined[-1][0] + space + before, joined[-1][1] + space + after, False)
        else:
            joined.append((before, after, is_unchanged))
    return [(before, after) for before, after, _ in joined]


def _limit_passages(passages: list[Passage]) -> list[Passage]:
    """Join all passages after `MAX_MARKED` changes; every other passage is unchanged."""
    if len(passages) <= 2 * MAX_MARKED:
        return passages
    rest = passages[2 * MAX_MARKED :]
    one = [word for before, _ in rest for word in before], [word for _, after in rest for word in after]
    return [*passages[: 2 * MAX_MARKED], one]


def _mark_passage(before: Tokens, after: Tokens, *, is_first: bool, is_last: bool) -> SafeString:
    if before == after:
        return format_html("{}", _cut_middle("".join(before), is_first=is_first, is_last=is_last))
    removed = format_html('<del class="portal-before">{}</del>', _cut_end(before)) if before else EMPTY
    added = format_html('<ins class="portal-after">{}</ins>', _cut_end(after)) if after else EMPTY
    return removed + added


def _cut_end(words: Tokens) -> str:
    text = "".join(words)
    return f"{text[:MAX_SHOWN]} […]" if len(text) > MAX_SHOWN else text


def _cut_middle(text: str, *, is_first: bool, is_last: bool) -> str:
    head = "" if is_first else text[:CONTEXT]
    tail = "" if is_last else text[-CONTEXT:]
    return f"{head} […] {tail}" if len(text) > len(head) + len(tail) + CONTEXT else text
