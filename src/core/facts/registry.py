"""Which receivers have subscribed to which facts."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

from django.apps import apps

from core.facts.base import Delivery, Fact

Kind = TypeVar("Kind", bound=Fact)
Receiver = Callable[[Any, Delivery], None]
# How the publisher calls a receiver, which is given by name.
Deliver = Callable[[str, Fact, Delivery], None]

RECEIVERS: dict[str, Receiver] = {}
# The name of the type of fact that each receiver has subscribed to, by the name of the receiver.
_SUBSCRIPTIONS: dict[str, str] = {}


def subscribes(kind: type[Kind]) -> Callable[[Callable[[Kind, Delivery], None]], Callable[[Kind, Delivery], None]]:
    """Declare that a function receives facts of this type. See `subscribe`."""

    def connect(function: Callable[[Kind, Delivery], None]) -> Callable[[Kind, Delivery], None]:
        subscribe(kind, function, name=f"{function.__module__}.{function.__qualname__}")
        return function

    return connect


def subscribe(kind: type[Kind], receiver: Callable[[Kind, Delivery], None], *, name: str) -> None:
    """Call a receiver with each fact of this type, each delivery in a savepoint of its own.

    The receiver must be idempotent, since it may be called again with the same fact (`Delivery.fact_id`). Whatever
    leaves the process belongs in a task that it enqueues after the commit. `name` is stored with failed deliveries and
    must not change.
    """
    RECEIVERS[name] = receiver
    _SUBSCRIPTIONS[name] = kind.name

    def receive(fact: Kind, delivery: Delivery, deliver: Deliver, **_: object) -> None:
        deliver(name, fact, delivery)

    kind.signal.connect(receive, weak=False, dispatch_uid=name)


def load_receivers() -> None:
    """Import the `receivers` of every installed app, in the order of INSTALLED_APPS."""
    for app in apps.get_app_configs():
        name = f"{app.name}.receivers"
        if find_spec(name) is not None:
            import_module(name)


def list_receivers(fact_name: str) -> tuple[str, ...]:
    """The names of the receivers of facts of this name."""
    return tuple(name for name, kind in _SUBSCRIPTIONS.items() if kind == fact_name)
