"""Differences of fields as HTML."""

import random
import re
import time
from datetime import UTC, datetime
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from core.portal.differences import MAX_MARKED, Budget, Difference, Wording, list_differences, mark_changes

LONG = "We tie five knots that hold, and learn when each of them is the right one to tie, whatever the rope."


def strip_elements(element: str, text: str) -> str:
    """The text without these elements, and with the tags of others removed."""
    rest = re.sub(f"<{element} [^>]*>.*?</{element}>", "", text, flags=re.DOTALL)
    return unescape(re.sub(r"</?(ins|del)[^>]*>", "", rest))


# --- Short values -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("Knots", "Bends", ("Knots", "Bends")),
        (60, 90, ("60", "90")),
        (False, True, ("no", "yes")),
        (None, "", ("nothing", "nothing")),
        ([], ["Editors", "Moderators"], ("nothing", "Editors, Moderators")),
        ({"mail": True}, {}, ('{"mail": true}', "nothing")),
        (0, 1.5, ("0", "1.5")),
    ],
)
def test_a_short_value_is_shown_before_and_after(before: object, after: object, shown: tuple[str, str]) -> None:
    assert list_differences({"title": [before, after]}) == [Difference(label="Title", before=shown[0], after=shown[1])]


def test_instants_are_shown_in_the_current_time_zone() -> None:
    with timezone.override(ZoneInfo("Europe/Berlin")):
        [difference] = list_differences({"hidden_at": [None, "2024-07-01T22:30:00Z"]})
    assert difference == Difference(label="Hidden at", before="nothing", after="Tue 2 Jul 2024, 00:30")


@pytest.mark.parametrize(
    "text", ["2024-13-45T99:00:00Z", "0001-01-01T00:00:00+14:00", "2024-07-01", "2024-07-01T22:30"]
)
def test_texts_that_only_look_like_instants_are_unchanged(text: str) -> None:
    with timezone.override(ZoneInfo("America/New_York")):
        [difference] = list_differences({"title": [text, "Knots"]})
    assert difference.before == text


def test_fields_and_values_have_the_labels_of_the_module() -> None:
    wording = Wording(labels={"date": "Start"}, choices={"status": {"pending": "waiting for approval"}})
    found = list_differences({"date": ["a", "b"], "status": ["pending", "lost"], "max_participants": [2, 3]}, wording)
    assert [(each.label, each.before, each.after) for each in found] == [
        ("Start", "a", "b"),
        ("Status", "waiting for approval", "lost"),
        ("Max participants", "2", "3"),
    ]


def test_invalid_changes_are_ignored() -> None:
    assert list_differences({"a": "ab", "b": [1], "c": [1, 2, 3], "d": None}) == []


# --- Long texts ---------------------------------------------------------------------------------------------------


def test_changed_words_of_a_long_text_are_marked() -> None:
    [difference] = list_differences({"description": [LONG, LONG.replace("five", "six").replace("rope", "thread")]})
    assert difference.marked == (
        'We tie <del class="portal-before">five</del><ins class="portal-after">six</ins> knots that hold, and learn'
        " when each of them is the right one to tie, whatever the "
        '<del class="portal-before">rope</del><ins class="portal-after">thread</ins>.'
    )


def test_a_short_text_of_several_lines_is_marked() -> None:
    [difference] = list_differences({"description": ["One\ntwo", "One\nthree"]})
    assert "<del" in difference.marked


def test_a_new_long_text_is_marked_as_a_whole() -> None:
    for nothing in (None, ""):
        [difference] = list_differences({"description": [nothing, LONG]})
        assert difference.marked == f'<ins class="portal-after">{LONG}</ins>'


def test_adjacent_words_are_marked_together() -> None:
    assert mark_changes("one old short sentence", "one new long sentence") == (
        'one <del class="portal-before">old short</del><ins class="portal-after">new long</ins> sentence'
    )


def test_long_unchanged_passages_are_cut_in_the_middle() -> None:
    middle = " ".join(f"word{number}" for number in range(500))
    text = mark_changes(f"old {middle} old", f"new {middle} new")
    assert len(text) < 600
    assert text.count("[…]") == 1
    assert "word0" in text
    assert "word499" in text
    assert "word250" not in text


def test_texts_are_escaped() -> None:
    hostile = f'<script>alert("1")</script><img src=x onerror=alert(1)> {LONG}'
    for before, after in [(hostile, LONG), (LONG, hostile), (hostile, hostile + "!")]:
        [difference] = list_differences({"description": [before, after]})
        assert "<script" not in difference.marked
        assert "<img" not in difference.marked
        assert set(re.findall(r"<[^>]*>", difference.marked)) <= {
            '<del class="portal-before">',
            "</del>",
            '<ins class="portal-after">',
            "</ins>",
        }


@pytest.mark.parametrize("seed", range(40))
def test_the_marked_text_contains_both_texts(seed: int) -> None:
    chance = random.Random(seed)
    words = ["a", "a", "the", "knot", "rope,", "ends.", "<b>", "&", "\n", "naïve", "zwölf", "結び目"]
    before, after = (" ".join(chance.choices(words, k=chance.randint(0, 25))) for _ in range(2))
    text = mark_changes(before, after)
    assert strip_elements("ins", text) == before
    assert strip_elements("del", text) == after


CONTRIVED = {
    "one word again and again": ("a " * 2500, "a " * 2499 + "b"),
    "two words that change places": ("ab " * 1666, "ba " * 1666),
    "ten words at random": tuple(" ".join(random.Random(seed).choices("abcdefghij", k=2500)) for seed in (1, 2)),
    "all words the other way round": tuple(" ".join(map(str, range(1000)[::step])) for step in (1, -1)),
    "all words shuffled": tuple(" ".join(random.Random(seed).sample("abcdefgh" * 200, k=1600)) for seed in (1, 2)),
    "nothing but signs": ("<" * 5000, ">&" * 2500),
    "one endless word": ("a" * 5000, "b" * 5000),
    "every other word": tuple(" ".join(f"w{number} {end}" for number in range(700)) for end in "xy"),
    "far more than a description has": ("ab " * 100_000, "ba " * 100_000),
}


@pytest.mark.parametrize("contrived", CONTRIVED)
def test_comparing_hostile_texts_is_fast(contrived: str) -> None:
    before, after = CONTRIVED[contrived]
    began = time.process_time()
    text = mark_changes(before, after)
    assert time.process_time() - began < 0.25
    assert text


@pytest.mark.parametrize("sign", [".", '"'])
def test_the_number_of_marks_is_limited(sign: str) -> None:
    text = mark_changes(f"x{sign}" * 990, "x!" * 990)
    assert text.count("<del") <= MAX_MARKED + 1
    assert len(text) < 50_000
    assert strip_elements("ins", text).startswith(f"x{sign}x{sign}")
    assert strip_elements("del", text).startswith("x!x!")


def test_long_changed_passages_are_cut_at_the_end() -> None:
    before, after = ("".join(f"{word} {number}. " for number in range(2000)) for word in ("Rope", "Yarn"))
    text = mark_changes(before, after)
    assert len(text) < 5_000
    assert strip_elements("ins", text).startswith("Rope 0. Rope 1. ")
    assert strip_elements("del", text).startswith("Yarn 0. Yarn 1. ")
    assert text.count("[…]") >= 2


def test_a_changed_word_in_a_long_text_is_marked_by_itself() -> None:
    words = [f"word{number}" for number in range(1500)]
    after = [*words[:750], "another", *words[751:]]
    text = mark_changes(" ".join(words), " ".join(after))
    assert '<del class="portal-before">word750</del><ins class="portal-after">another</ins>' in text
    assert text.count("<del") == 1


def test_changes_beyond_the_budget_are_shortened() -> None:
    budget = Budget(150)
    one, other, third = (
        list_differences({"description": [LONG, LONG.replace("five", number)]}, budget=budget)[0]
        for number in ("six", "seven", "eight")
    )
    assert '<ins class="portal-after">six</ins>' in one.marked
    assert (other.marked, third.marked) == ("", "")
    assert other.before == "We tie five knots that hold, and learn w […]"
    assert other.after == "We tie seven knots that hold, and learn  […]"


def test_a_shortened_change_with_equal_beginnings_says_so() -> None:
    [difference] = list_differences({"description": [LONG, f"{LONG} Or not."]}, budget=Budget(0))
    assert (difference.before, difference.after) == (f"{LONG[:40]} […]", "changed further on")


def test_other_values_beyond_the_budget_are_shortened_too() -> None:
    [difference] = list_differences({"groups": [[], ["Editors"] * 50]}, budget=Budget(0))
    assert (difference.before, len(difference.after)) == ("nothing", 44)


def test_the_end_of_a_very_long_text_is_left_out() -> None:
    text = mark_changes("old " * 100_000, "new " * 100_000)
    assert text.endswith("[…]")
    assert len(text) < 50_000


def test_daylight_saving_time_depends_on_the_date() -> None:
    instant = datetime(2024, 1, 10, 12, tzinfo=UTC).isoformat()
    with timezone.override(ZoneInfo("Europe/Berlin")):
        [difference] = list_differences({"date": [instant, instant.replace("12:", "13:")]})
    assert (difference.before, difference.after) == ("Wed 10 Jan 2024, 13:00", "Wed 10 Jan 2024, 14:00")
