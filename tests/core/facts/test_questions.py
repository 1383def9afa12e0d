"""Questions, their answers and their defaults."""

from dataclasses import dataclass

import pytest
from tests.core.facts.conftest import Answer, WhichColour

from core.facts import Question


def test_a_question_without_answers_has_its_default() -> None:
    assert WhichColour().ask() == "colourless"
    assert WhichColour().ask_all() == []


def test_a_question_is_answered(answer: Answer) -> None:
    answer(lambda question: f"colour {question.number}")

    assert WhichColour(number=5).ask() == "colour 5"


def test_the_first_answer_that_is_not_none_is_returned(answer: Answer) -> None:
    answer(lambda question: None)
    answer(lambda question: "red")
    answer(lambda question: "blue")

    assert WhichColour().ask() == "red"


def test_an_answer_of_none_leaves_the_default(answer: Answer) -> None:
    answer(lambda question: None)

    assert WhichColour().ask() == "colourless"


@pytest.mark.parametrize("falsy", ["", 0, False, [], {}])
def test_an_answer_may_be_falsy(answer: Answer, falsy: object) -> None:
    answer(lambda question: falsy)

    assert WhichColour().ask() == falsy


def test_asking_all_returns_every_answer_in_order(answer: Answer) -> None:
    answer(lambda question: "red")
    answer(lambda question: None)
    answer(lambda question: "blue")

    assert WhichColour().ask_all() == ["red", "blue"]


def test_an_exception_in_an_answer_propagates(answer: Answer) -> None:
    def fail(question: WhichColour) -> str:
        raise LookupError("no idea")

    answer(fail)

    with pytest.raises(LookupError, match="no idea"):
        WhichColour().ask()


def test_a_question_without_a_default_raises_when_it_has_no_answer() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Unsafe(Question[str]):
        pass

    with pytest.raises(TypeError, match="Unsafe declares no default"):
        Unsafe().ask()


def test_an_answer_is_not_called_for_another_type_of_question(answer: Answer) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Another(Question[str]):
        def default(self) -> str:
            return "nobody"

    answer(lambda question: "red")

    assert Another().ask() == "nobody"
