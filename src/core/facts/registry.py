"""Who hears what."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

from django.apps import apps

from core.facts.base import Delivery, Fact

Kind = TypeVar("Kind", bound=Fact)
Receiver = Callable[[Any, Delivery], None]
# How a publisher has a receiver served, by the receiver's name.
Deliver = Callable[[str, Fact, Delivery], None]

RECEIVERS: dict[str, Receiver] = {}
# What each of them hears: the name of a kind of fact.
_HEARD: dict[str, str] = {}


def subscribes(kind: type[Kind]) -> Callable[[Callable[[Kind, Delivery], None]], Callable[[Kind, Delivery], None]]:
    """Declare that a function receives facts of this kind, each delivery in a savepoint of its own.

    The function may be called again with the same fact and must not do twice what may be done once; the fact's id
    tells a repetition. What leaves the process belongs into a task that it enqueues after the commit.
    """

    def connect(function: Callable[[Kind, Delivery], None]) -> Callable[[Kind, Delivery], None]:
        name = f"{function.__module__}.{function.__qualname__}"
        RECEIVERS[name] = function
        _HEARD[name] = kind.name

        def receive(fact: Kind, delivery: Delivery, deliver: Deliver, **_: object) -> None:
            deliver(name, fact, delivery)

        kind.signal.connect(receive, weak=False, dispatch_uid=name)
        return function

    return connect


def load_receivers() -> None:
    """Import the `receivers` of every installed app, in the order of INSTALLED_APPS."""
    for app in apps.get_app_configs():
        name = f"{app.name}.receivers"
        if find_spec(name) is not None:
            import_module(name)


def list_receivers(fact_name: str) -> tuple[str, ...]:
    """The names of those who hear facts of this name."""
    return tuple(name for name, kind in _HEARD.items() if kind == fact_name)
