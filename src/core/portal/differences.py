"""What was changed, field by field, as people read it: short values before and after, long texts with the words marked.

Everything comes from members, so everything is escaped, and no text is so contrived that it costs more than its length.
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

from core.portal.times import local

# The values before and after, by the field; plain values, as the record of facts keeps them.
Changes = Mapping[str, Sequence[Any]]

# A text that is longer, or has several lines, is shown once, with its changes marked.
SHORT = 80
# What is compared of a text at most; a note may be longer.
MOST_COMPARED = 20_000
# What is shown of an unchanged passage at either end.
CONTEXT = 80
# How often a passage is taken apart by the words that occur once in it.
DEEPEST = 6

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
TOKEN = re.compile(r"\s+|\w+|[^\w\s]")

NOTHING_MARKED = SafeString("")

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
    marked: SafeString = NOTHING_MARKED


def differences(changes: Changes, wording: Wording | None = None) -> list[Difference]:
    """Each change as it is shown, with instants in the time zone at hand; what is no pair of values is passed over."""
    wording = wording or Wording()
    return [
        _difference(name, pair[0], pair[1], wording)
        for name, pair in changes.items()
        if isinstance(pair, list | tuple) and len(pair) == 2
    ]


def marked(before: str, after: str) -> SafeString:
    """Both texts in one: what went is within `<del>`, what came within `<ins>`; long passages that stayed are cut."""
    cut = max(len(before), len(after)) > MOST_COMPARED
    passages = _joined(_compared(_tokens(before), _tokens(after)))
    last = len(passages) - 1
    shown = format_html_join(
        "", "{}", ((_shown(*passage, is_first=at == 0, is_last=at == last),) for at, passage in enumerate(passages))
    )
    return format_html("{} […]", shown) if cut else shown


def _difference(name: str, before: Any, after: Any, wording: Wording) -> Difference:
    label = wording.labels.get(name) or name.replace("_", " ").capitalize()
    both = [_in_words(value, wording.choices.get(name, {})) for value in (before, after)]
    texts = [value for value in (before, after) if value is not None]
    is_long = any(isinstance(text, str) and (len(text) > SHORT or "\n" in text) for text in texts)
    if is_long and all(isinstance(text, str) for text in texts):
        return Difference(label=label, before=both[0], after=both[1], marked=marked(before or "", after or ""))
    return Difference(label=label, before=both[0], after=both[1])


def _in_words(value: Any, choices: Mapping[str, str]) -> str:
    match value:
        case bool():
            words = "yes" if value else "no"
        case None | str() | list() | dict() if not value:
            words = "nothing"
        case str():
            words = choices.get(value) or _moment(value)
        case list():
            words = ", ".join(_in_words(each, choices) for each in value)
        case _:
            words = json.dumps(value, default=str, ensure_ascii=False)
    return words


def _moment(value: str) -> str:
    """An instant as the clock at hand shows it; any other text as it is."""
    if not INSTANT.fullmatch(value):
        return value
    try:
        return local(datetime.fromisoformat(value))
    except (ValueError, OverflowError):
        return value


# --- Comparing --------------------------------------------------------------------------------------------------
#
# By the words that occur once in either text ("patience"): each is looked at once a level, however often any of them
# is repeated. What has no such word has become something else as a whole.


def _tokens(text: str) -> Words:
    return TOKEN.findall(text[:MOST_COMPARED])


def _compared(before: Words, after: Words, depth: int = 0) -> Iterator[Passage]:
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    if start:
        yield before[:start], before[:start]
    yield from _taken_apart(before[start : len(before) - end], after[start : len(after) - end], depth)
    if end:
        yield before[-end:], before[-end:]


def _taken_apart(before: Words, after: Words, depth: int) -> Iterator[Passage]:
    anchors = _anchors(before, after) if depth < DEEPEST else []
    if not anchors:
        if before or after:
            yield before, after
        return
    for (one, other), (next_one, next_other) in pairwise([(0, 0), *anchors, (len(before), len(after))]):
        yield from _compared(before[one:next_one], after[other:next_other], depth + 1)


def _anchors(before: Words, after: Words) -> list[tuple[int, int]]:
    """Where the words that occur once in both stand in either, as many of them as come in the same order."""
    once_after = {word for word, times in Counter(after).items() if times == 1 and not word.isspace()}
    once = {word for word, times in Counter(before).items() if times == 1} & once_after
    place = {word: at for at, word in enumerate(after) if word in once}
    return _longest_rising([(at, place[word]) for at, word in enumerate(before) if word in once])


def _longest_rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
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


def _joined(passages: Iterator[Passage]) -> list[Passage]:
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


def _shown(before: Words, after: Words, *, is_first: bool, is_last: bool) -> SafeString:
    if before == after:
        return format_html("{}", _cut("".join(before), is_first=is_first, is_last=is_last))
    went = format_html('<del class="portal-before">{}</del>', "".join(before)) if before else NOTHING_MARKED
    came = format_html('<ins class="portal-after">{}</ins>', "".join(after)) if after else NOTHING_MARKED
    return went + came


def _cut(text: str, *, is_first: bool, is_last: bool) -> str:
    head = "" if is_first else text[:CONTEXT]
    tail = "" if is_last else text[-CONTEXT:]
    return f"{head} […] {tail}" if len(text) > len(head) + len(tail) + CONTEXT else text
