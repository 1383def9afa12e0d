"""A task, queues, and requests that enqueue tasks."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from huey.contrib.djhuey import HUEY, db_task
from tests.queue_server import QueueServer

from core.jobs.task_queue import enqueueing, storages
from core.jobs.task_queue.enqueueing import CIRCUIT_BREAKER, enqueue_after_commit
from core.jobs.task_queue.storages import RedisQueue, SqliteQueue
from core.monitoring import request_id

Request = Callable[..., None]


@db_task()
def wash_up(*_dishes: str) -> None:
    """A task for these tests."""


@pytest.fixture(autouse=True)
def closed_circuit() -> Iterator[None]:
    CIRCUIT_BREAKER.close()
    yield
    CIRCUIT_BREAKER.close()


@pytest.fixture
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short timeouts for enqueueing."""
    monkeypatch.setattr(storages, "ENQUEUE_SECONDS", 0.02)
    monkeypatch.setattr(enqueueing, "SLOW_SECONDS", 0.01)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """Replaces the storage of the queue."""

    def use(storage: Any) -> Any:
        monkeypatch.setattr(HUEY, "storage", storage)
        return storage

    return use


@pytest.fixture
def file_queue(use: Any, tmp_path: Path) -> Iterator[SqliteQueue]:
    queue = SqliteQueue("tests", filename=str(tmp_path / "queue.sqlite3"), timeout=1)
    yield use(queue)
    queue.close()


@pytest.fixture
def server() -> Iterator[QueueServer]:
    """Replaces Redis; accepts connections and does not respond."""
    server = QueueServer()
    yield server
    server.stop()


@pytest.fixture
def redis_queue(use: Any, short_timeouts: None, server: QueueServer) -> RedisQueue:
    queue: RedisQueue = use(RedisQueue("tests", url=server.url))
    return queue


@pytest.fixture
def make_request(db: None, django_capture_on_commit_callbacks: Any) -> Request:
    """Makes a request that enqueues so many tasks and commits."""

    def act(tasks: int = 1) -> None:
        request_id.begin_request()
        with django_capture_on_commit_callbacks(execute=True):
            for number in range(tasks):
                enqueue_after_commit(wash_up, f"plate {number}")
        request_id.end_request()

    return act
