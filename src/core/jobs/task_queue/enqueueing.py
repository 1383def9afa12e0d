"""The one place where work is deferred until the transaction has committed.

A committed request has succeeded: nothing after the commit changes its response. A task is only a wake-up for rows that
a periodic job finds too, so a task that the queue does not accept in time is dropped.
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
from core.monitoring.request_id import get_current_request_id

Values = ParamSpec("Values")

logger = logging.getLogger(__name__)

# How long calls are blocked after one that failed slowly, so that a queue that hangs costs one request its timeout and
# not each. A queue that refuses quickly is tried by each request.
BREAKER_PAUSE = timedelta(seconds=5)
# From how many seconds on a failure counts as slow.
SLOW_SECONDS = 0.1
# How many seconds all the tasks of one request may wait for the queue together.
REQUEST_BUDGET_SECONDS = 0.5

CIRCUIT_BREAKER = CircuitBreaker(pause=BREAKER_PAUSE)


@dataclass
class RequestBudget:
    """How long one request has waited for the queue, and whether it has logged a dropped task."""

    request_id: str
    seconds_used: float = 0.0
    has_logged: bool = False


_current_budget: ContextVar[RequestBudget | None] = ContextVar("queue_budget", default=None)


def enqueue_after_commit(task: Callable[Values, object], *arguments: Values.args, **named: Values.kwargs) -> None:
    """Enqueue a task for the worker after the current transaction commits; at once where there is none.

    A periodic job must find the rows that the task is for: a task that the queue refuses, or does not accept within the
    budget of the request, is dropped with a line in the log. Nothing is raised.
    """
    run_after_commit(_enqueue, lambda: task(*arguments, **named), _get_name(task))


def run_after_commit(function: Callable[Values, object], *arguments: Values.args, **named: Values.kwargs) -> None:
    """Call a function in this process after the current transaction commits; at once where there is none.

    Exceptions are logged, and a periodic job must find the work. The request waits for the function: slow work, and
    calls to other services, belong in a task.
    """

    def call() -> None:
        try:
            function(*arguments, **named)
        except Exception:
            logger.exception("After the commit %s has failed; a periodic job will do it", _get_name(function))

    transaction.on_commit(call)


def _enqueue(put: Callable[[], object], name: str) -> None:
    budget = _get_budget()
    if budget.seconds_used >= REQUEST_BUDGET_SECONDS:
        _log_dropped(budget, name, f"this request has waited {budget.seconds_used:.2f} seconds for it")
        return
    if not CIRCUIT_BREAKER.allows_call():
        # Outside requests the failure itself was logged.
        if budget.request_id:
            _log_dropped(budget, name, "it has not answered just now")
        return
    started = monotonic()
    try:
        _enqueue_with_timeout(put, seconds=REQUEST_BUDGET_SECONDS - budget.seconds_used)
    except Exception as error:
        _log_dropped(budget, name, f"{type(error).__name__}: {' '.join(str(error).split())}")
        failed = True
    else:
        failed = False
    seconds = monotonic() - started
    if failed and seconds >= SLOW_SECONDS:
        CIRCUIT_BREAKER.open()
    else:
        CIRCUIT_BREAKER.close()
    # In immediate mode, as in tests, the time is that of the task and not of the queue.
    if not HUEY.immediate:
        budget.seconds_used += seconds


def _enqueue_with_timeout(put: Callable[[], object], *, seconds: float) -> None:
    """Call `put` in a thread and raise `TimeoutError` after so many seconds, also while a host name is resolved.

    The task may arrive later, which does no harm to a wake-up.
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


def _get_budget() -> RequestBudget:
    """The budget of the current request. Outside requests, where no client waits, each task has its own."""
    request_id = get_current_request_id()
    budget = _current_budget.get()
    if budget is None or not request_id or budget.request_id != request_id:
        budget = RequestBudget(request_id)
        _current_budget.set(budget)
    return budget


def _log_dropped(budget: RequestBudget, name: str, why: str) -> None:
    """Log once for each request, however many of its tasks are dropped."""
    if not budget.has_logged:
        budget.has_logged = True
        logger.warning("The queue did not accept %s, which is left to a periodic job: %s", name, why)


def _get_name(function: Callable[..., object]) -> str:
    """The name of a function, also within a task or a partial function, which have none."""
    inner = getattr(function, "func", function)
    return getattr(inner, "__name__", repr(inner))
