"""Facts and a question for these tests, and receivers that are subscribed for one test."""

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
    """Has a field of each type that a fact may have."""

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
    """Has neither a session nor a member."""

    drops: int = 1


@dataclass(frozen=True, kw_only=True)
class WhichColour(Question[str]):
    """Which colour has this number?"""

    number: int = 1

    def default(self) -> str:
        return "colourless"


@dataclass
class RecordingReceiver:
    """Records what it receives, writes a row of this name, and raises `fails_with`, if set."""

    name: str
    received: list[tuple[Fact, Delivery]] = field(default_factory=list)
    fails_with: BaseException | None = None

    def receive(self, fact: Fact, delivery: Delivery) -> None:
        self.received.append((fact, delivery))
        if self.name:
            write_row(self.name)
        if self.fails_with is not None:
            raise self.fails_with


def write_row(text: str) -> None:
    """Write a row with a unique text."""
    Group.objects.create(name=text)


def list_rows() -> list[str]:
    return list(Group.objects.exclude(name="Moderators").order_by("pk").values_list("name", flat=True))


def publish_change(
    fact: Fact, *, by: User | None = None, reason: str = "", changes: Changes | None = None
) -> FactRecord:
    """Publish a fact in the transaction of a change."""
    with transaction.atomic():
        write_row("the change")
        return publish(fact, by=by, reason=reason, changes=changes)


Subscribe = Callable[..., str]


@pytest.fixture
def subscribe() -> Iterator[Subscribe]:
    """Subscribes a function until the end of the test; returns the registered name of the receiver."""
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
def receiver(subscribe: Subscribe) -> RecordingReceiver:
    """A receiver of `LanternLit`."""
    receiver = RecordingReceiver("received")
    subscribe(receiver.receive, name="receiver")
    return receiver


Answer = Callable[..., None]


@pytest.fixture
def answer() -> Iterator[Answer]:
    """Registers a function as an answer to `WhichColour` until the end of the test."""
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
