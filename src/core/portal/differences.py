"""Changes of fields as people read them: short values before and after, long texts with the changed words marked.

Values come from members: they are escaped, and the cost of comparing texts is bounded (see
docs/decisions/own-differences.md).
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

# The values before and after, by the field; plain values, as the record of facts keeps them.
Changes = Mapping[str, Sequence[Any]]

# A text that is longer, or has several lines, is shown once, with its changes marked.
SHORT_TEXT = 80
# How many characters of a text are read; a note may be longer.
MAX_READ = 20_000
# How many words, spaces and signs are compared between the ends that stayed: what a description has.
MAX_COMPARED = 2_000
# How many passages are marked; what follows them has changed as a whole.
MAX_MARKED = 100
# What is shown of a passage that went or came.
MAX_SHOWN = 2_000
# How many characters are shown in full on a page; and of each value when they are used up.
BUDGET = 15_000
SHORTENED = 40
# What is shown of an unchanged passage at either end.
CONTEXT = 80
# How often a passage is taken apart by the words that occur once in it.
MAX_DEPTH = 6

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
TOKEN = re.compile(r"\s+|\w+|[^\w\s]")

NOTHING = SafeString("")

Words = list[str]
# Words that stayed, or that became others.
Passage = tuple[Words, Words]


@dataclass(frozen=True, kw_only=True)
class Wording:
    """What a module calls its fields, and the values of those that are chosen from a list."""

    labels: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field: what it was and what it became. `marked` is both in one, safe to show, and empty for short values."""

    label: str
    before: str
    after: str
    marked: SafeString = NOTHING


class Budget:
    """How many characters a page still shows in full; what comes when none are left is said in short."""

    def __init__(self, characters: int = BUDGET) -> None:
        self.left = characters

    def allows(self, characters: int) -> bool:
        """The last may be more than what is left."""
        was_left = self.left > 0
        self.left -= characters
        return was_left


def list_differences(
    changes: Changes, wording: Wording | None = None, *, budget: Budget | None = None
) -> list[Difference]:
    """Each change as it is shown, with instants in the time zone at hand; what is no pair of values is passed over.

    A page that shows the changes of many things gives one `budget` to all of them.
    """
    wording = wording or Wording()
    budget = budget or Budget()
    return [
        _build_difference(name, pair[0], pair[1], wording, budget)
        for name, pair in changes.items()
        if isinstance(pair, list | tuple) and len(pair) == 2
    ]


def mark_changes(before: str, after: str) -> SafeString:
    """Both texts in one: what went is within `<del>`, what came within `<ins>`; long passages are cut."""
    cut = max(len(before), len(after)) > MAX_READ
    passages = _limit_passages(_join_passages(_compare(_split_words(before), _split_words(after))))
    last = len(passages) - 1
    shown = format_html_join(
        "",
        "{}",
        ((_mark_passage(*passage, is_first=at == 0, is_last=at == last),) for at, passage in enumerate(passages)),
    )
    return format_html("{} […]", shown) if cut else shown


def _build_difference(name: str, before: Any, after: Any, wording: Wording, budget: Budget) -> Difference:
    label = wording.labels.get(name) or name.replace("_", " ").capitalize()
    was, became = (_format_value(value, wording.choices.get(name, {})) for value in (before, after))
    if not budget.allows(len(was) + len(became)):
        return _shorten_difference(label, was, became)
    texts = [value for value in (before, after) if value is not None]
    is_long = any(isinstance(text, str) and (len(text) > SHORT_TEXT or "\n" in text) for text in texts)
    if is_long and all(isinstance(text, str) for text in texts):
        return Difference(label=label, before=was, after=became, marked=mark_changes(before or "", after or ""))
    return Difference(label=label, before=was, after=became)


def _shorten_difference(label: str, before: str, after: str) -> Difference:
    was, became = (f"{text[:SHORTENED]} […]" if len(text) > SHORTENED else text for text in (before, after))
    return Difference(label=label, before=was, after=became if became != was else "changed further on")


def _format_value(value: Any, choices: Mapping[str, str]) -> str:
    match value:
        case bool():
            words = "yes" if value else "no"
        case None | str() | list() | dict() if not value:
            words = "nothing"
        case str():
            words = choices.get(value) or _format_instant(value)
        case list():
            words = ", ".join(_format_value(each, choices) for each in value)
        case _:
            words = json.dumps(value, default=str, ensure_ascii=False)
    return words


def _format_instant(value: str) -> str:
    """An instant as the clock at hand shows it; any other text as it is."""
    if not INSTANT.fullmatch(value):
        return value
    try:
        return format_local(datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        return value


# --- Comparing --------------------------------------------------------------------------------------------------
#
# By the words that occur once in either text ("patience"): each is looked at once a level, however often any of them
# is repeated. What has no such word has become something else as a whole.


def _split_words(text: str) -> Words:
    return TOKEN.findall(text[:MAX_READ])


def _compare(before: Words, after: Words, depth: int = 0) -> Iterator[Passage]:
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


def _compare_between_anchors(before: Words, after: Words, depth: int) -> Iterator[Passage]:
    is_compared = depth < MAX_DEPTH and max(len(before), len(after)) <= MAX_COMPARED
    anchors = _find_anchors(before, after) if is_compared else []
    if not anchors:
        if before or after:
            yield before, after
        return
    for (one, other), (next_one, next_other) in pairwise([(0, 0), *anchors, (len(before), len(after))]):
        yield from _compare(before[one:next_one], after[other:next_other], depth + 1)


def _find_anchors(before: Words, after: Words) -> list[tuple[int, int]]:
    """Where the words that occur once in both stand in either, as many of them as come in the same order."""
    once_after = {word for word, times in Counter(after).items() if times == 1 and not word.isspace()}
    once = {word for word, times in Counter(before).items() if times == 1} & once_after
    place = {word: at for at, word in enumerate(after) if word in once}
    return _find_longest_increasing_subsequence([(at, place[word]) for at, word in enumerate(before) if word in once])


def _find_longest_increasing_subsequence(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Of pairs that rise in their first number, the most that rise in the second, too."""
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
    """Neighbours of a kind as one; a space that stayed between two changes goes with them."""
    joined: list[tuple[Words, Words, bool]] = []
    for before, after in passages:
        stayed = before == after
        if joined and joined[-1][2] == stayed:
            joined[-1] = (joined[-1][0] + before, joined[-1][1] + after, stayed)
        elif not stayed and len(joined) > 1 and "".join(joined[-1][0]).isspace():
            space = joined.pop()[0]
            joined[-1] = (joined[-1][0] + space + before, joined[-1][1] + space + after, False)
        else:
            joined.append((before, after, stayed))
    return [(before, after) for before, after, _ in joined]


def _limit_passages(passages: list[Passage]) -> list[Passage]:
    """As many as may be marked, every other of which stayed; the rest as one."""
    if len(passages) <= 2 * MAX_MARKED:
        return passages
    rest = passages[2 * MAX_MARKED :]
    one = [word for before, _ in rest for word in before], [word for _, after in rest for word in after]
    return [*passages[: 2 * MAX_MARKED], one]


def _mark_passage(before: Words, after: Words, *, is_first: bool, is_last: bool) -> SafeString:
    if before == after:
        return format_html("{}", _cut_middle("".join(before), is_first=is_first, is_last=is_last))
    went = format_html('<del class="portal-before">{}</del>', _cut_end(before)) if before else NOTHING
    came = format_html('<ins class="portal-after">{}</ins>', _cut_end(after)) if after else NOTHING
    return went + came


def _cut_end(words: Words) -> str:
    text = "".join(words)
    return f"{text[:MAX_SHOWN]} […]" if len(text) > MAX_SHOWN else text


def _cut_middle(text: str, *, is_first: bool, is_last: bool) -> str:
    head = "" if is_first else text[:CONTEXT]
    tail = "" if is_last else text[-CONTEXT:]
    return f"{head} […] {tail}" if len(text) > len(head) + len(tail) + CONTEXT else text
