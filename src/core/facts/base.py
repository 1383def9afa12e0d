"""The base classes of facts (domain events) and questions (requests between modules).

Both are frozen dataclasses of ids and plain values, declared in a module's `events.py`, and use Django signals.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar, cast

from django.dispatch import Signal
from pydantic import TypeAdapter


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What a receiver gets beside the fact itself.

    `fact_id` is the primary key of the `FactRecord`. `is_retry` is true for a delivery after a failure: the
    receiver then reads the present state and ignores what no longer holds.
    """

    fact_id: int
    occurred_at: datetime
    actor_id: int | None
    reason: str
    is_retry: bool


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A domain event, named in the past tense.

    The fields of a subclass are what receivers get, and the payload of the record. `session_id` and `member_id` (whom
    the fact is about), where a subclass has them, are indexed columns of the record.
    """

    name: ClassVar[str]
    signal: ClassVar[Signal]
    # One clause with placeholders: `{actor}` and `{member}` are names, all others are fields of the fact.
    summary_template: ClassVar[str] = ""
    # For a fact without an actor: whether the system caused it, not the clock (a transition by time alone).
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

    def summarize(self, *, actor: str, member: str = "") -> str:
        """Say what happened, as one clause without a full stop."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return (self.summary_template or type(self).__name__).format(**{**values, "actor": actor, "member": member})

    @classmethod
    def adapter(cls) -> TypeAdapter[Any]:
        """The serializer of this type, which is built once, since that takes longer than a query."""
        if cls.name not in Fact._adapters:
            Fact._adapters[cls.name] = TypeAdapter(cls)
        return Fact._adapters[cls.name]


Answer = TypeVar("Answer")
QuestionKind = TypeVar("QuestionKind", bound="Question[Any]")


@dataclass(frozen=True, kw_only=True)
class Question(Generic[Answer]):
    """A request of one module that any other may answer."""

    signal: ClassVar[Signal]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.signal = Signal()

    def default(self) -> Answer:
        """The answer if no module answers, for example because it is not installed."""
        raise TypeError(f"{type(self).__name__} declares no default")

    def ask(self) -> Answer:
        """Return the first answer that is not `None`, or the default. Errors of the answering module propagate."""
        for answer in self._collect_answers():
            return answer
        return self.default()

    def ask_all(self) -> list[Answer]:
        """Return every answer that is not `None`, in the order of INSTALLED_APPS."""
        return self._collect_answers()

    def _collect_answers(self) -> list[Answer]:
        responses = self.signal.send(sender=type(self), question=self)
        return [cast(Answer, answer) for _, answer in responses if answer is not None]


def answers(
    kind: type[QuestionKind],
) -> Callable[[Callable[[QuestionKind], Any]], Callable[[QuestionKind], Any]]:
    """Register a function that answers questions of this type; it returns `None` where it has no answer."""

    def connect(function: Callable[[QuestionKind], Any]) -> Callable[[QuestionKind], Any]:
        def answer(question: QuestionKind, **_: object) -> Any:
            return function(question)

        kind.signal.connect(answer, weak=False, dispatch_uid=f"{function.__module__}.{function.__qualname__}")
        return function

    return connect
