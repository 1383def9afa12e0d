"""The storages of the queue: timeouts of both sides, and recovery."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from huey.contrib.djhuey import HUEY
from tests.queue_server import QueueServer

from core.jobs.task_queue import storages
from core.jobs.task_queue.storages import ENQUEUE_SECONDS, READ_SECONDS, WORKER_SECONDS, RedisQueue, SqliteQueue


def test_enqueueing_has_a_timeout_of_a_quarter_of_a_second() -> None:
    assert ENQUEUE_SECONDS == 0.25


def test_the_socket_timeout_of_the_worker_is_longer_than_its_blocking_read() -> None:
    assert WORKER_SECONDS > READ_SECONDS


@pytest.mark.parametrize("query", ["", "?socket_timeout=60&socket_connect_timeout=60&retry_on_timeout=true"])
@pytest.mark.parametrize("address", ["redis://127.0.0.1:1/0", "rediss://127.0.0.1:1/0", "unix:///nowhere.sock"])
def test_timeouts_override_those_of_the_url(address: str, query: str) -> None:
    queue = RedisQueue("tests", url=address + query)

    producer, worker = (client.connection_pool.make_connection() for client in (queue._producer, queue.conn))

    assert (producer.socket_connect_timeout, producer.socket_timeout) == (0.25, 0.25)
    assert (worker.socket_connect_timeout, worker.socket_timeout) == (5, 10)
    assert producer.retry.get_retries() == worker.retry.get_retries() == 0


def test_a_timeout_of_redis_is_not_retried(redis_queue: RedisQueue, server: QueueServer) -> None:
    with pytest.raises(Exception, match="Timeout"):
        redis_queue.enqueue(b"task")

    assert server.connections == 1


def test_the_worker_recovers_after_redis_hung(server: QueueServer, monkeypatch: Any) -> None:
    monkeypatch.setattr(storages, "WORKER_SECONDS", 0.5)
    queue = RedisQueue("tests", url=f"{server.url}?protocol=2")
    assert queue.dequeue() is None

    server.answer = b"*2\r\n$5\r\nqueue\r\n$4\r\ntask\r\n"
    assert queue.dequeue() == b"task"


def test_creating_a_storage_does_not_connect(tmp_path: Path) -> None:
    SqliteQueue("tests", filename=str(tmp_path / "nowhere" / "queue.sqlite3"), timeout=20)

    assert list(tmp_path.iterdir()) == []


def test_tasks_are_dequeued_in_order(file_queue: SqliteQueue) -> None:
    for task in (b"one", b"two"):
        file_queue.enqueue(task)

    assert [file_queue.dequeue() for _ in range(3)] == [b"one", b"two", None]


def test_a_deleted_file_is_created_again_for_both_sides(file_queue: SqliteQueue) -> None:
    file_queue.enqueue(b"one")
    assert file_queue.dequeue() == b"one"
    for file in Path(file_queue.filename).parent.glob("queue.sqlite3*"):
        file.unlink()

    file_queue.enqueue(b"two")

    assert file_queue.dequeue() == b"two"


def test_enqueueing_waits_for_a_locked_file_shorter_than_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The timeouts are recorded and shortened."""
    file = tmp_path / "queue.sqlite3"
    waited: list[float] = []
    connect = sqlite3.connect

    def connect_briefly(*arguments: Any, timeout: float, **named: Any) -> sqlite3.Connection:
        waited.append(timeout)
        return connect(*arguments, timeout=min(timeout, 0.01), **named)

    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        monkeypatch.setattr(sqlite3, "connect", connect_briefly)
        queue = SqliteQueue("tests", filename=str(file), timeout=20)
        queue.enqueue(b"one")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            queue.enqueue(b"two")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            queue.dequeue()
        other.execute("ROLLBACK")
        assert queue.dequeue() == b"one"
        queue.close()
    assert waited == [0.25, 0.25, 20]


def test_a_new_file_that_is_locked_is_usable_once_it_is_unlocked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storages, "ENQUEUE_SECONDS", 0.02)
    file = tmp_path / "queue.sqlite3"
    queue = SqliteQueue("tests", filename=str(file), timeout=0.02)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for attempt in (lambda: queue.enqueue(b"one"), queue.dequeue):
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                attempt()
        other.execute("ROLLBACK")

    queue.enqueue(b"two")

    assert queue.dequeue() == b"two"
    queue.close()


def test_the_worker_waits_twenty_seconds_for_a_lock() -> None:
    assert HUEY.storage._timeout == 20
