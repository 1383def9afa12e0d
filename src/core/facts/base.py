"""The two things that modules say to each other: facts and questions.

A fact tells what has happened; a question asks what its asker needs to know from whoever can tell. Both are frozen
dataclasses of ids and plain values, declared in a module's `events.py`, and ride on Django signals.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar, cast

from django.dispatch import Signal
from pydantic import TypeAdapter


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What a receiver is told beside the fact itself.

    `fact_id` is the fact's row in the record. `is_retry` is true when the fact is delivered again after a failure: the
    receiver then reads the state anew and drops what no longer holds.
    """

    fact_id: int
    occurred_at: datetime
    actor_id: int | None
    reason: str
    is_retry: bool


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something that has happened, named in the past tense.

    A subclass's fields are what its receivers get and what the record keeps as payload. `session_id` and `member_id`
    (whom it is about), where a subclass has them, are indexed columns of the record.
    """

    name: ClassVar[str]
    signal: ClassVar[Signal]
    # What happened, as one clause; `{actor}` and `{member}` are their names, all else are the fact's own fields.
    words: ClassVar[str] = ""
    # Where nobody did it, whether the system did, for what it has found, rather than the clock by passing.
    is_by_system: ClassVar[bool] = False
    kinds: ClassVar[dict[str, type["Fact"]]] = {}
    _adapters: ClassVar[dict[str, TypeAdapter[Any]]] = {}

    def __init_subclass__(cls, *, abstract: bool = False) -> None:
        super().__init_subclass__()
        if abstract:
            return
        # "modules.sessions.events" publishes "sessions.SessionApproved".
        cls.name = f"{cls.__module__.split('.')[-2]}.{cls.__name__}"
        cls.signal = Signal()
        Fact.kinds[cls.name] = cls

    def in_words(self, *, actor: str, member: str = "") -> str:
        """What happened, as one clause without a full stop."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return (self.words or type(self).__name__).format(**{**values, "actor": actor, "member": member})

    @classmethod
    def adapter(cls) -> TypeAdapter[Any]:
        """How facts of this kind become plain values and facts again. Made once: that takes longer than a query."""
        if cls.name not in Fact._adapters:
            Fact._adapters[cls.name] = TypeAdapter(cls)
        return Fact._adapters[cls.name]


Answer = TypeVar("Answer")
QuestionKind = TypeVar("QuestionKind", bound="Question[Any]")


@dataclass(frozen=True, kw_only=True)
class Question(Generic[Answer]):
    """Something that a module needs to know and only others can tell."""

    signal: ClassVar[Signal]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.signal = Signal()

    def default(self) -> Answer:
        """The safe answer when nobody can tell (the module that could is not installed)."""
        raise TypeError(f"{type(self).__name__} declares no default")

    def ask(self) -> Answer:
        """The first answer that is not `None`, or the default. An error in the answering module is the asker's too."""
        for answer in self._answers():
            return answer
        return self.default()

    def ask_all(self) -> list[Answer]:
        """Every answer that is not `None`, in the order of INSTALLED_APPS."""
        return self._answers()

    def _answers(self) -> list[Answer]:
        responses = self.signal.send(sender=type(self), question=self)
        return [cast(Answer, answer) for _, answer in responses if answer is not None]


def answers(
    kind: type[QuestionKind],
) -> Callable[[Callable[[QuestionKind], Any]], Callable[[QuestionKind], Any]]:
    """Declare that a function answers questions of this kind; it returns `None` when it cannot tell."""

    def connect(function: Callable[[QuestionKind], Any]) -> Callable[[QuestionKind], Any]:
        def answer(question: QuestionKind, **_: object) -> Any:
            return function(question)

        kind.signal.connect(answer, weak=False, dispatch_uid=f"{function.__module__}.{function.__qualname__}")
        return function

    return connect
