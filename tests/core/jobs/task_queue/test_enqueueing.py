"""Work after the commit: tasks that are enqueued, and functions that are called."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Event
from typing import Any

import pytest
from django.db import transaction
from huey.contrib.djhuey import HUEY
from tests.core.jobs.task_queue.conftest import Request, wash_up
from tests.queue_server import OOM, QueueServer, find_closed_port
from tests.threads import run_in_threads

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
    """A callable without a name."""

    __call__ = staticmethod(fail)


def list_log_messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == enqueueing.logger.name]


# --- Without failures ---------------------------------------------------------------------------------------------


def test_a_task_is_enqueued_after_the_commit(file_queue: SqliteQueue, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        enqueue_after_commit(wash_up, "plate", "cup")
        assert file_queue.queue_size() == 0

    task = HUEY.dequeue()
    assert (type(task).__name__, task.args) == ("wash_up", ("plate", "cup"))
    assert HUEY.dequeue() is None


def test_a_task_is_not_enqueued_after_a_rollback(
    file_queue: SqliteQueue, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        enqueue_after_commit(wash_up)
        transaction.set_rollback(True)

    assert file_queue.queue_size() == 0


@pytest.mark.django_db(transaction=True)
def test_a_task_outside_a_transaction_is_enqueued_at_once(file_queue: SqliteQueue) -> None:
    enqueue_after_commit(wash_up)

    assert file_queue.queue_size() == 1


def test_a_function_is_called_with_its_arguments_after_the_commit(django_capture_on_commit_callbacks: Any) -> None:
    called: list[Any] = []

    with django_capture_on_commit_callbacks(execute=True):
        run_after_commit(lambda *positional, **named: called.append((positional, named)), 1, two=2)
        assert called == []

    assert called == [((1,), {"two": 2})]


# --- Failures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after_commit", [enqueue_after_commit, run_after_commit])
@pytest.mark.parametrize(
    ("function", "name"),
    [(fail, "fail"), (partial(fail, 1), "fail"), (Failing.__call__, "fail"), (Failing(), "Failing object")],
)
@pytest.mark.django_db(transaction=True)
def test_a_failure_after_the_commit_is_logged_and_the_next_function_is_called(
    after_commit: Any, function: Callable[[], None], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    called = []

    with transaction.atomic():
        after_commit(function)
        run_after_commit(called.append, "the next")

    assert called == ["the next"]
    (text,) = list_log_messages(caplog)
    assert name in text


@pytest.mark.django_db(transaction=True)
def test_a_task_that_the_queue_refuses_raises_nothing(use: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Django logs the qualified name of a failed function, which a task does not have."""
    use(RedisQueue("tests", url=find_closed_port()))

    with transaction.atomic():
        enqueue_after_commit(wash_up)

    (text,) = list_log_messages(caplog)
    assert text.startswith(
        "The queue did not accept wash_up, which is left to a periodic job: ConnectionError: Error 111 "
    )


@pytest.mark.django_db(transaction=True)
def test_an_error_of_the_queue_is_logged_on_one_line(caplog: pytest.LogCaptureFixture) -> None:
    enqueue_after_commit(fail)

    assert list_log_messages(caplog) == [
        "The queue did not accept fail, which is left to a periodic job: ConnectionError: no queue"
    ]


# --- Queues that hang ---------------------------------------------------------------------------------------------


def test_a_hanging_queue_is_tried_once_per_pause_and_each_request_logs_its_dropped_tasks(
    redis_queue: RedisQueue, server: QueueServer, make_request: Request, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    make_request(tasks=3)
    make_request(tasks=3)
    assert server.connections == 1

    clock.shift(BREAKER_PAUSE)
    make_request(tasks=3)
    assert server.connections == 2
    assert [text.split(": ")[1] for text in list_log_messages(caplog)] == [
        "TimeoutError",
        "it has not answered just now",
        "TimeoutError",
    ]


def test_a_queue_that_recovers_is_used_again(
    redis_queue: RedisQueue, file_queue: SqliteQueue, use: Any, make_request: Request, clock: Any
) -> None:
    use(redis_queue)
    make_request()
    use(file_queue)
    clock.shift(BREAKER_PAUSE)

    make_request(tasks=2)
    make_request(tasks=2)

    assert file_queue.queue_size() == 4


def test_a_queue_that_refuses_quickly_is_tried_by_each_request(
    *,
    use: Any,
    server: QueueServer,
    monkeypatch: pytest.MonkeyPatch,
    make_request: Request,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # On a busy machine a quick refusal may take long.
    monkeypatch.setattr(storages, "ENQUEUE_SECONDS", 30)
    monkeypatch.setattr(enqueueing, "SLOW_SECONDS", 30)
    server.answer = OOM
    use(RedisQueue("tests", url=server.url))

    for _ in range(2):
        make_request(tasks=3)

    assert [text.split(": ", 1)[1] for text in list_log_messages(caplog)] == [
        "OutOfMemoryError: command not allowed when used memory > 'maxmemory'."
    ] * 2


def test_a_slow_queue_takes_no_more_than_the_budget_of_a_request(
    use: Any, monkeypatch: pytest.MonkeyPatch, make_request: Request, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    enqueued = []

    class Slow:
        def enqueue(self, data: bytes, priority: float | None = None) -> None:
            nonlocal now
            now += 0.2
            enqueued.append(data)

    use(Slow())
    monkeypatch.setattr(enqueueing, "monotonic", lambda: now)

    make_request(tasks=10)
    assert (REQUEST_BUDGET_SECONDS, len(enqueued)) == (0.5, 3)
    assert list_log_messages(caplog) == [
        "The queue did not accept wash_up, which is left to a periodic job: this request has waited 0.60 seconds for it"
    ]

    make_request(tasks=10)
    assert len(enqueued) == 6


def test_outside_requests_a_hanging_queue_is_logged_once_per_attempt(
    redis_queue: RedisQueue,
    server: QueueServer,
    django_capture_on_commit_callbacks: Any,
    clock: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A periodic job may enqueue thousands of tasks."""
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(10):
            enqueue_after_commit(wash_up)

    assert server.connections == len(list_log_messages(caplog)) == 1


# --- The circuit breaker ------------------------------------------------------------------------------------------


def test_after_the_pause_one_caller_may_try(clock: Any) -> None:
    circuit = CircuitBreaker(pause=timedelta(seconds=5))
    assert run_in_threads(4, circuit.allows_call) == [True] * 4
    circuit.open()
    assert run_in_threads(4, circuit.allows_call) == [False] * 4

    clock.shift(5)
    assert sorted(run_in_threads(4, circuit.allows_call)) == [False, False, False, True]
    circuit.close()
    assert run_in_threads(4, circuit.allows_call) == [True] * 4


def test_a_clock_that_is_set_back_does_not_keep_the_circuit_open(clock: Any) -> None:
    circuit = CircuitBreaker(pause=timedelta(seconds=5))
    circuit.open()
    clock.shift(-3600)

    assert circuit.allows_call()


@pytest.mark.django_db(transaction=True)
def test_enqueueing_times_out_even_where_sockets_have_no_timeout(
    file_queue: SqliteQueue, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For example in the lookup of a host name. This task waits until the end of the test."""
    monkeypatch.setattr(enqueueing, "REQUEST_BUDGET_SECONDS", 0.02)
    monkeypatch.setattr(enqueueing, "SLOW_SECONDS", 0.01)
    is_over = Event()

    enqueue_after_commit(is_over.wait)
    enqueue_after_commit(wash_up)

    assert list_log_messages(caplog) == [
        "The queue did not accept wait, which is left to a periodic job: TimeoutError: no answer in time"
    ]
    assert file_queue.queue_size() == 0
    is_over.set()
