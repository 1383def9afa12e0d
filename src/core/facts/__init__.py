"""How modules talk: facts that are published and recorded, and questions that are asked and answered."""

from core.facts.base import Delivery, Fact, Question, answers
from core.facts.registry import subscribe, subscribes

__all__ = ["Delivery", "Fact", "Question", "answers", "subscribe", "subscribes"]
