"""Questions: what is answered by whoever can tell, and what if nobody can."""

from dataclasses import dataclass

import pytest
from tests.core.facts.conftest import Answer, WhichColour

from core.facts import Question


def test_a_question_that_nobody_can_answer_has_its_default() -> None:
    assert WhichColour().ask() == "colourless"
    assert WhichColour().ask_all() == []


def test_who_can_tell_is_heard(answer: Answer) -> None:
    answer(lambda question: f"colour {question.number}")

    assert WhichColour(number=5).ask() == "colour 5"


def test_the_first_who_can_tell_is_heard(answer: Answer) -> None:
    answer(lambda question: None)
    answer(lambda question: "red")
    answer(lambda question: "blue")

    assert WhichColour().ask() == "red"


def test_who_cannot_tell_leaves_the_default(answer: Answer) -> None:
    answer(lambda question: None)

    assert WhichColour().ask() == "colourless"


@pytest.mark.parametrize("nothing_much", ["", 0, False, [], {}])
def test_an_answer_may_be_nothing_much(answer: Answer, nothing_much: object) -> None:
    answer(lambda question: nothing_much)

    assert WhichColour().ask() == nothing_much


def test_everybody_is_heard_in_order_when_all_are_asked(answer: Answer) -> None:
    answer(lambda question: "red")
    answer(lambda question: None)
    answer(lambda question: "blue")

    assert WhichColour().ask_all() == ["red", "blue"]


def test_an_error_of_who_answers_is_the_askers_too(answer: Answer) -> None:
    def fail(question: WhichColour) -> str:
        raise LookupError("no idea")

    answer(fail)

    with pytest.raises(LookupError, match="no idea"):
        WhichColour().ask()


def test_a_question_without_a_safe_default_says_so() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Unsafe(Question[str]):
        pass

    with pytest.raises(TypeError, match="Unsafe declares no default"):
        Unsafe().ask()


def test_two_kinds_of_questions_are_not_mixed_up(answer: Answer) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Another(Question[str]):
        def default(self) -> str:
            return "nobody"

    answer(lambda question: "red")

    assert Another().ask() == "nobody"
