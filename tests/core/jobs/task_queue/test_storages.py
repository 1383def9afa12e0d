"""The two kinds of queue: short patience for who enqueues, a long one for the worker, and what comes back is used."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from huey.contrib.djhuey import HUEY
from tests.queue_server import QueueServer

from core.jobs.task_queue import storages
from core.jobs.task_queue.storages import ENQUEUE_SECONDS, READ_SECONDS, WORKER_SECONDS, RedisQueue, SqliteQueue


def test_who_enqueues_waits_a_quarter_of_a_second_at_each_step() -> None:
    assert ENQUEUE_SECONDS == 0.25


def test_the_worker_waits_longer_for_an_answer_than_redis_does_for_news() -> None:
    assert WORKER_SECONDS > READ_SECONDS


@pytest.mark.parametrize("query", ["", "?socket_timeout=60&socket_connect_timeout=60&retry_on_timeout=true"])
@pytest.mark.parametrize("address", ["redis://127.0.0.1:1/0", "rediss://127.0.0.1:1/0", "unix:///nowhere.sock"])
def test_both_sides_of_redis_have_timeouts_whatever_its_address_says(address: str, query: str) -> None:
    queue = RedisQueue("tests", url=address + query)

    producer, worker = (client.connection_pool.make_connection() for client in (queue._producer, queue.conn))

    assert (producer.socket_connect_timeout, producer.socket_timeout) == (0.25, 0.25)
    assert (worker.socket_connect_timeout, worker.socket_timeout) == (5, 10)
    assert producer.retry.get_retries() == worker.retry.get_retries() == 0


def test_a_redis_that_hangs_is_asked_once(redis_queue: RedisQueue, server: QueueServer) -> None:
    with pytest.raises(Exception, match="Timeout"):
        redis_queue.enqueue(b"task")

    assert server.connections == 1


def test_a_worker_whose_redis_hangs_goes_on_when_it_is_back(server: QueueServer, monkeypatch: Any) -> None:
    monkeypatch.setattr(storages, "WORKER_SECONDS", 0.5)
    queue = RedisQueue("tests", url=f"{server.url}?protocol=2")
    assert queue.dequeue() is None

    server.answer = b"*2\r\n$5\r\nqueue\r\n$4\r\ntask\r\n"
    assert queue.dequeue() == b"task"


def test_the_product_starts_without_its_queue(tmp_path: Path) -> None:
    """Its tables are made when they are needed."""
    SqliteQueue("tests", filename=str(tmp_path / "nowhere" / "queue.sqlite3"), timeout=20)

    assert list(tmp_path.iterdir()) == []


def test_what_is_enqueued_first_is_taken_first(file_queue: SqliteQueue) -> None:
    for task in (b"one", b"two"):
        file_queue.enqueue(task)

    assert [file_queue.dequeue() for _ in range(3)] == [b"one", b"two", None]


def test_a_file_that_was_taken_away_is_made_anew_for_both_sides(file_queue: SqliteQueue) -> None:
    file_queue.enqueue(b"one")
    assert file_queue.dequeue() == b"one"
    for file in Path(file_queue.filename).parent.glob("queue.sqlite3*"):
        file.unlink()

    file_queue.enqueue(b"two")

    assert file_queue.dequeue() == b"two"


def test_a_locked_file_is_given_up_by_who_enqueues_and_waited_for_by_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For as long as the database is told to wait, which here is cut short."""
    file = tmp_path / "queue.sqlite3"
    waited: list[float] = []
    connect = sqlite3.connect

    def notice(*given: Any, timeout: float, **named: Any) -> sqlite3.Connection:
        waited.append(timeout)
        return connect(*given, timeout=min(timeout, 0.01), **named)

    with closing(sqlite3.connect(file, isolation_level=None)) as somebody:
        monkeypatch.setattr(sqlite3, "connect", notice)
        queue = SqliteQueue("tests", filename=str(file), timeout=20)
        queue.enqueue(b"one")
        somebody.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            queue.enqueue(b"two")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            queue.dequeue()
        somebody.execute("ROLLBACK")
        assert queue.dequeue() == b"one"
        queue.close()
    assert waited == [0.25, 0.25, 20]


def test_a_new_file_that_somebody_else_has_locked_is_waited_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storages, "ENQUEUE_SECONDS", 0.02)
    file = tmp_path / "queue.sqlite3"
    queue = SqliteQueue("tests", filename=str(file), timeout=0.02)
    with closing(sqlite3.connect(file, isolation_level=None)) as somebody:
        somebody.execute("BEGIN EXCLUSIVE")
        for attempt in (lambda: queue.enqueue(b"one"), queue.dequeue):
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                attempt()
        somebody.execute("ROLLBACK")

    queue.enqueue(b"two")

    assert queue.dequeue() == b"two"
    queue.close()


def test_the_worker_is_patient() -> None:
    assert HUEY.storage._timeout == 20
