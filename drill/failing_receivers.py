"""Receivers of facts that fail now and then, with all their work done: it has to be undone, and done again."""

from random import SystemRandom

from core.facts.base import Delivery, Fact
from core.facts.registry import RECEIVERS, Receiver
from modules.sessions.events import ReminderDue

# Of its own for each process, and each time: who fails is as much a matter of chance as who is killed.
_chance = SystemRandom()


class PlannedFailure(Exception):
    """What a receiver raises in a drill."""


def let_receivers_fail(percent: int) -> None:
    """From now on so many of a hundred deliveries fail in this process, and in those that it forks.

    What is served again succeeds, and so does a reminder that is late already: it must not come too late by chance.
    """
    for name, receiver in list(RECEIVERS.items()):
        RECEIVERS[name] = _failing(receiver, percent)


def _failing(receiver: Receiver, percent: int) -> Receiver:
    def receive(fact: Fact, delivery: Delivery) -> None:
        receiver(fact, delivery)
        if not delivery.is_retry and not _is_late(fact) and _chance.randrange(100) < percent:
            raise PlannedFailure

    return receive


def _is_late(fact: Fact) -> bool:
    return isinstance(fact, ReminderDue) and fact.minutes_before - fact.minutes_left > 1
