"""How modules talk: facts that are published and recorded, and questions that are asked."""

from core.facts.base import Delivery, Fact, Question, answers
from core.facts.registry import subscribes

__all__ = ["Delivery", "Fact", "Question", "answers", "subscribes"]
