"""Queues that are unavailable in various ways, and one that works."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests import queue_server
from tests.queue_server import FullBacklog, QueueServer

from core.jobs.task_queue.storages import RedisQueue, SqliteQueue


class WellSqlite(SqliteQueue):
    is_well = True


@contextmanager
def open_working_queue(folder: Path) -> Iterator[SqliteQueue]:
    folder.mkdir(exist_ok=True)
    with closing(WellSqlite("well", filename=str(folder / "queue.sqlite3"), timeout=20)) as queue:
        yield queue


@contextmanager
def locked(folder: Path) -> Iterator[SqliteQueue]:
    file = folder / "queue.sqlite3"
    queue = SqliteQueue("locked", filename=str(file), timeout=20)
    queue.enqueue(b"")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield queue


@contextmanager
def without_a_folder(folder: Path) -> Iterator[SqliteQueue]:
    yield SqliteQueue("gone", filename=str(folder / "nowhere" / "queue.sqlite3"), timeout=20)


@contextmanager
def corrupt(folder: Path) -> Iterator[SqliteQueue]:
    (folder / "queue.sqlite3").write_bytes(b"nonsense" * 1000)
    yield SqliteQueue("corrupt", filename=str(folder / "queue.sqlite3"), timeout=20)


@contextmanager
def closed(_folder: Path) -> Iterator[RedisQueue]:
    yield RedisQueue("closed", url=queue_server.find_closed_port())


@contextmanager
def unreachable(_folder: Path) -> Iterator[RedisQueue]:
    server = FullBacklog()
    yield RedisQueue("unreachable", url=server.url)
    server.stop()


def answering(answer: bytes | None) -> Any:
    @contextmanager
    def serve(_folder: Path) -> Iterator[RedisQueue]:
        server = QueueServer(answer)
        yield RedisQueue("answering", url=server.url)
        server.stop()

    return serve


AWAY = {
    "SQLite, locked": locked,
    "SQLite, its folder gone": without_a_folder,
    "SQLite, no database": corrupt,
    "Redis, gone": closed,
    "Redis, out of reach": unreachable,
    "Redis, hangs": answering(None),
    "Redis, wants a password": answering(queue_server.NOAUTH),
    "Redis, out of memory": answering(queue_server.OOM),
}
