"""A fact and a question of the tests' own, and receivers that last for one test."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import pytest
from django.contrib.auth.models import Group
from django.db import transaction

from core.accounts.models import User
from core.facts import Delivery, Fact, Question, answers, subscribes
from core.facts.models import FactRecord
from core.facts.publish import Changes, publish
from core.facts.registry import RECEIVERS


@dataclass(frozen=True, kw_only=True)
class LanternLit(Fact):
    """Sent by these tests alone; has a value of each kind that a fact may carry."""

    session_id: int = 7
    member_id: int = 3
    at: datetime = datetime(2024, 1, 15, 19, 0, tzinfo=UTC)
    day: date = date(2024, 1, 15)
    for_long: timedelta = timedelta(minutes=90)
    guest_ids: tuple[int, ...] = (1, 2)
    colour: Literal["green", "red"] = "green"
    words: str = "Zoë said 'go'\n"
    nothing: str | None = None


@dataclass(frozen=True, kw_only=True)
class Drizzle(Fact):
    """About no session and no member."""

    drops: int = 1


@dataclass(frozen=True, kw_only=True)
class WhichColour(Question[str]):
    """What do you call this number?"""

    number: int = 1

    def default(self) -> str:
        return "colourless"


@dataclass
class Ear:
    """Keeps what it has heard, writes a row of this name, and fails as long as it is told to."""

    name: str
    heard: list[tuple[Fact, Delivery]] = field(default_factory=list)
    fails_with: BaseException | None = None

    def hear(self, fact: Fact, delivery: Delivery) -> None:
        self.heard.append((fact, delivery))
        if self.name:
            note(self.name)
        if self.fails_with is not None:
            raise self.fails_with


def note(text: str) -> None:
    """Writes a row, as a receiver does; no two have the same text."""
    Group.objects.create(name=text)


def notes() -> list[str]:
    return list(Group.objects.exclude(name="Moderators").order_by("pk").values_list("name", flat=True))


def tell(fact: Fact, *, by: User | None = None, reason: str = "", changes: Changes | None = None) -> FactRecord:
    """Publish a fact together with the change that it tells of."""
    with transaction.atomic():
        note("the change")
        return publish(fact, by=by, reason=reason, changes=changes)


Hear = Callable[..., str]


@pytest.fixture
def hear() -> Iterator[Hear]:
    """Connects a receiver to a kind of fact until the test is over; answers the receiver's name in the records."""
    names: list[tuple[type[Fact], str]] = []

    def connect(function: Callable[[Any, Delivery], None], *, kind: type[Fact] = LanternLit, name: str = "") -> str:
        def receive(fact: Fact, delivery: Delivery) -> None:
            function(fact, delivery)

        receive.__qualname__ = name or f"receiver_{len(names) + 1}"
        subscribes(kind)(receive)
        registered = f"{receive.__module__}.{receive.__qualname__}"
        names.append((kind, registered))
        return registered

    yield connect
    for kind, name in names:
        RECEIVERS.pop(name, None)
        kind.signal.disconnect(dispatch_uid=name)


@pytest.fixture
def ear(hear: Hear) -> Ear:
    """Hears of every lantern."""
    listener = Ear("heard")
    hear(listener.hear, name="ear")
    return listener


Answer = Callable[..., None]


@pytest.fixture
def answer() -> Iterator[Answer]:
    """Lets a function answer `WhichColour` until the test is over."""
    names: list[str] = []

    def connect(function: Callable[[WhichColour], str | None]) -> None:
        def reply(question: WhichColour) -> str | None:
            return function(question)

        reply.__qualname__ = f"answer_{len(names) + 1}"
        names.append(f"{reply.__module__}.{reply.__qualname__}")
        answers(WhichColour)(reply)

    yield connect
    for name in names:
        WhichColour.signal.disconnect(dispatch_uid=name)
