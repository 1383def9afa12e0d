"""Communication between modules: facts are published and recorded, questions are asked and answered."""

from core.facts.base import Delivery, Fact, Question, answers
from core.facts.registry import subscribe, subscribes

__all__ = ["Delivery", "Fact", "Question", "answers", "subscribe", "subscribes"]
