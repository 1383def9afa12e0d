"""The one place where something is put off until the transaction has committed.

What is committed has succeeded: nothing that comes after it changes the answer. A task is only a wake-up for rows that
a sweep finds too, so one that the queue does not take within a moment is dropped.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import ParamSpec

from django.db import transaction
from huey.contrib.djhuey import HUEY

from core.jobs.task_queue.circuit_breaker import CircuitBreaker
from core.monitoring.request_id import current_request_id

Values = ParamSpec("Values")

logger = logging.getLogger(__name__)

# How long nobody tries a queue that has kept somebody waiting and failed then, so that one that hangs costs one request
# its timeout and not each. Of one that refuses at once each may ask anew.
PAUSE = timedelta(seconds=5)
SLOW = 0.1
# What all the tasks of one request may take together, in seconds.
MOST_SECONDS = 0.5

CIRCUIT_BREAKER = CircuitBreaker(pause=PAUSE)


@dataclass
class Share:
    """What the request in hand has had of the queue."""

    request_id: str
    seconds: float = 0.0
    is_told: bool = False


_share: ContextVar[Share | None] = ContextVar("share", default=None)


def enqueue_after_commit(task: Callable[Values, object], *arguments: Values.args, **named: Values.kwargs) -> None:
    """Let the worker run a task once the transaction in hand has committed; at once where there is none.

    A sweep has to find what the task is for: one that the queue refuses, or that it does not take in time, is dropped
    with a line in the log. Nothing is raised, and nobody waits longer than a moment.
    """
    run_after_commit(_enqueue, lambda: task(*arguments, **named), _name_of(task))


def run_after_commit(function: Callable[Values, object], *arguments: Values.args, **named: Values.kwargs) -> None:
    """Call a function here once the transaction in hand has committed; at once where there is none.

    What it raises is logged, and a sweep has to find what it was for. Whoever asked waits for it: what takes long, or
    leaves the process, is a task.
    """

    def call() -> None:
        try:
            function(*arguments, **named)
        except Exception:
            logger.exception("After the commit %s has failed; the sweep will do it", _name_of(function))

    transaction.on_commit(call)


def _enqueue(put: Callable[[], object], name: str) -> None:
    share = _share_of_request()
    if share.seconds >= MOST_SECONDS:
        _tell(share, name, f"this request has waited {share.seconds:.2f} seconds for it")
        return
    if not CIRCUIT_BREAKER.allows_call():
        # Outside requests the failure itself has said enough.
        if share.request_id:
            _tell(share, name, "it has not answered just now")
        return
    began = monotonic()
    try:
        _put_within(put, seconds=MOST_SECONDS - share.seconds)
    except Exception as error:
        _tell(share, name, f"{type(error).__name__}: {' '.join(str(error).split())}")
        failed = True
    else:
        failed = False
    seconds = monotonic() - began
    if failed and seconds >= SLOW:
        CIRCUIT_BREAKER.open()
    else:
        CIRCUIT_BREAKER.close()
    # A task that is run at once, as in tests, keeps nobody waiting for the queue.
    if not HUEY.immediate:
        share.seconds += seconds


def _put_within(put: Callable[[], object], *, seconds: float) -> None:
    """Raises `TimeoutError`, also where no timeout of a socket helps: while the name of a host is looked up, say.

    The task may arrive later; it is only a wake-up.
    """
    if HUEY.immediate:
        put()
        return
    outcome: Future[object] = Future()

    def run() -> None:
        try:
            outcome.set_result(put())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=run, name="enqueue", daemon=True).start()
    if not wait([outcome], timeout=seconds).done:
        raise TimeoutError("no answer in time")
    outcome.result()


def _share_of_request() -> Share:
    """Outside requests one of its own for each task: nobody waits for an answer there."""
    request_id = current_request_id()
    share = _share.get()
    if share is None or not request_id or share.request_id != request_id:
        share = Share(request_id)
        _share.set(share)
    return share


def _tell(share: Share, name: str, why: str) -> None:
    """One line for each request, however many tasks it has."""
    if not share.is_told:
        share.is_told = True
        logger.warning("The queue does not take %s, which is left to the sweep: %s", name, why)


def _name_of(function: Callable[..., object]) -> str:
    """Tasks and partial functions have no name of their own."""
    named = getattr(function, "func", function)
    return getattr(named, "__name__", repr(named))
