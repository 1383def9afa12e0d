"""What is put off until the commit changes nothing of what was committed, whatever becomes of it."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Event
from typing import Any

import pytest
from django.db import transaction
from huey.contrib.djhuey import HUEY
from tests.core.jobs.task_queue.conftest import Request, wash_up
from tests.core.threads import at_once
from tests.queue_server import OOM, QueueServer, closed_port

from core.jobs.task_queue import enqueueing, storages
from core.jobs.task_queue.circuit_breaker import CircuitBreaker
from core.jobs.task_queue.enqueueing import (
    BREAKER_PAUSE,
    REQUEST_BUDGET_SECONDS,
    enqueue_after_commit,
    run_after_commit,
)
from core.jobs.task_queue.storages import RedisQueue, SqliteQueue

pytestmark = pytest.mark.django_db


def fail(*_: object) -> None:
    raise ConnectionError("no\nqueue")


class Failing:
    """Something to call that has no name."""

    __call__ = staticmethod(fail)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == enqueueing.logger.name]


# --- When all is well ---------------------------------------------------------------------------------------------


def test_a_task_is_enqueued_once_the_change_is_committed(
    file_queue: SqliteQueue, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        enqueue_after_commit(wash_up, "plate", "cup")
        assert file_queue.queue_size() == 0

    task = HUEY.dequeue()
    assert (type(task).__name__, task.args) == ("wash_up", ("plate", "cup"))
    assert HUEY.dequeue() is None


def test_a_task_of_a_change_that_is_rolled_back_is_not(
    file_queue: SqliteQueue, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        enqueue_after_commit(wash_up)
        transaction.set_rollback(True)

    assert file_queue.queue_size() == 0


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_is_enqueued_at_once(file_queue: SqliteQueue) -> None:
    enqueue_after_commit(wash_up)

    assert file_queue.queue_size() == 1


def test_a_function_is_called_with_what_it_was_given(django_capture_on_commit_callbacks: Any) -> None:
    called: list[Any] = []

    with django_capture_on_commit_callbacks(execute=True):
        run_after_commit(lambda *given, **named: called.append((given, named)), 1, two=2)
        assert called == []

    assert called == [((1,), {"two": 2})]


# --- What fails ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after_commit", [enqueue_after_commit, run_after_commit])
@pytest.mark.parametrize(
    ("function", "name"),
    [(fail, "fail"), (partial(fail, 1), "fail"), (Failing.__call__, "fail"), (Failing(), "Failing object")],
)
@pytest.mark.django_db(transaction=True)
def test_whatever_fails_raises_nothing_and_what_comes_after_it_is_done(
    after_commit: Any, function: Callable[[], None], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    called = []

    with transaction.atomic():
        after_commit(function)
        run_after_commit(called.append, "the next")

    assert called == ["the next"]
    (text,) = told(caplog)
    assert name in text


@pytest.mark.django_db(transaction=True)
def test_a_task_of_the_queue_that_fails_raises_nothing(use: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Django asks what it runs for a qualified name, which these have not."""
    use(RedisQueue("tests", url=closed_port()))

    with transaction.atomic():
        enqueue_after_commit(wash_up)

    (text,) = told(caplog)
    assert text.startswith(
        "The queue did not accept wash_up, which is left to a periodic job: ConnectionError: Error 111 "
    )


@pytest.mark.django_db(transaction=True)
def test_what_the_queue_says_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    enqueue_after_commit(fail)

    assert told(caplog) == ["The queue did not accept fail, which is left to a periodic job: ConnectionError: no queue"]


# --- What hangs ---------------------------------------------------------------------------------------------------


def test_a_queue_that_hangs_is_tried_once_in_a_while_and_each_request_that_goes_without_says_so(
    redis_queue: RedisQueue, server: QueueServer, request_with: Request, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    request_with(tasks=3)
    request_with(tasks=3)
    assert server.connections == 1

    clock.shift(BREAKER_PAUSE)
    request_with(tasks=3)
    assert server.connections == 2
    assert [text.split(": ")[1] for text in told(caplog)] == [
        "TimeoutError",
        "it has not answered just now",
        "TimeoutError",
    ]


def test_a_queue_that_is_back_is_used_again(
    redis_queue: RedisQueue, file_queue: SqliteQueue, use: Any, request_with: Request, clock: Any
) -> None:
    use(redis_queue)
    request_with()
    use(file_queue)
    clock.shift(BREAKER_PAUSE)

    request_with(tasks=2)
    request_with(tasks=2)

    assert file_queue.queue_size() == 4


def test_of_a_queue_that_refuses_at_once_each_request_asks_and_says_what_it_was_told(
    *,
    use: Any,
    server: QueueServer,
    monkeypatch: pytest.MonkeyPatch,
    request_with: Request,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # At once is what a busy machine makes of it.
    monkeypatch.setattr(storages, "ENQUEUE_SECONDS", 30)
    monkeypatch.setattr(enqueueing, "SLOW_SECONDS", 30)
    server.answer = OOM
    use(RedisQueue("tests", url=server.url))

    for _ in range(2):
        request_with(tasks=3)

    assert [text.split(": ", 1)[1] for text in told(caplog)] == [
        "OutOfMemoryError: command not allowed when used memory > 'maxmemory'."
    ] * 2


def test_a_queue_that_is_slow_gets_no_more_of_a_request_than_half_a_second(
    use: Any, monkeypatch: pytest.MonkeyPatch, request_with: Request, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    taken = []

    class Slow:
        def enqueue(self, data: bytes, priority: float | None = None) -> None:
            nonlocal now
            now += 0.2
            taken.append(data)

    use(Slow())
    monkeypatch.setattr(enqueueing, "monotonic", lambda: now)

    request_with(tasks=10)
    assert (REQUEST_BUDGET_SECONDS, len(taken)) == (0.5, 3)
    assert told(caplog) == [
        "The queue did not accept wash_up, which is left to a periodic job: this request has waited 0.60 seconds for it"
    ]

    request_with(tasks=10)
    assert len(taken) == 6


def test_outside_requests_a_queue_that_hangs_is_told_of_when_it_was_tried(
    redis_queue: RedisQueue,
    server: QueueServer,
    django_capture_on_commit_callbacks: Any,
    clock: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A sweep may have thousands of tasks."""
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(10):
            enqueue_after_commit(wash_up)

    assert server.connections == len(told(caplog)) == 1


# --- The circuit --------------------------------------------------------------------------------------------------


def test_after_the_pause_one_tries_for_all(clock: Any) -> None:
    circuit = CircuitBreaker(pause=timedelta(seconds=5))
    assert at_once(4, circuit.allows_call) == [True] * 4
    circuit.open()
    assert at_once(4, circuit.allows_call) == [False] * 4

    clock.shift(5)
    assert sorted(at_once(4, circuit.allows_call)) == [False, False, False, True]
    circuit.close()
    assert at_once(4, circuit.allows_call) == [True] * 4


def test_a_clock_that_is_put_back_does_not_keep_it_open(clock: Any) -> None:
    circuit = CircuitBreaker(pause=timedelta(seconds=5))
    circuit.open()
    clock.shift(-3600)

    assert circuit.allows_call()


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_what_no_timeout_of_a_socket_ends(
    file_queue: SqliteQueue, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lookup of a host's name, say: this one would last until the test is over."""
    monkeypatch.setattr(enqueueing, "REQUEST_BUDGET_SECONDS", 0.02)
    monkeypatch.setattr(enqueueing, "SLOW_SECONDS", 0.01)
    is_over = Event()

    enqueue_after_commit(is_over.wait)
    enqueue_after_commit(wash_up)

    assert told(caplog) == [
        "The queue did not accept wait, which is left to a periodic job: TimeoutError: no answer in time"
    ]
    assert file_queue.queue_size() == 0
    is_over.set()
