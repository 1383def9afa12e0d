"""Receivers of facts that fail at random after their work, which has to be rolled back and retried."""

from random import SystemRandom

from core.facts.base import Delivery, Fact
from core.facts.registry import RECEIVERS, Receiver
from modules.sessions.events import ReminderDue

# Not seeded: failures differ in each process and run.
_random = SystemRandom()


class PlannedFailure(Exception):
    """What a receiver raises in a drill."""


def make_receivers_fail(percent: int) -> None:
    """Make this percentage of deliveries fail, in this process and in those that it forks.

    Retries succeed, and so do reminders that are late already: a failure could move them out of their window.
    """
    for name, receiver in list(RECEIVERS.items()):
        RECEIVERS[name] = _wrap(receiver, percent)


def _wrap(receiver: Receiver, percent: int) -> Receiver:
    def receive(fact: Fact, delivery: Delivery) -> None:
        receiver(fact, delivery)
        if not delivery.is_retry and not _is_late(fact) and _random.randrange(100) < percent:
            raise PlannedFailure

    return receive


def _is_late(fact: Fact) -> bool:
    return isinstance(fact, ReminderDue) and fact.minutes_before - fact.minutes_left > 1
