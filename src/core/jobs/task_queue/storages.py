"""Storages of the task queue for Huey: a SQLite file, or Redis (docs/decisions/own-queue-storages.md).

Unlike Huey's own, they have two timeouts: a short one for enqueueing, where a request waits, and a long one for the
worker. They connect when first used, so that the product starts while its queue is unavailable.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from huey.storage import RedisStorage, SqliteStorage
from redis import ConnectionPool, Redis

# For each step of enqueueing: connecting, waiting for the lock, writing.
ENQUEUE_SECONDS = 0.25
# How long the worker blocks at Redis for a task. Its socket timeout must be longer, or every wait would look like a
# server that is gone.
READ_SECONDS = 1
WORKER_SECONDS = 10
WORKER_CONNECT_SECONDS = 5


class SqliteQueue(SqliteStorage):  # type: ignore[misc]
    """A SQLite file, which is created by its first user, and again after it was deleted."""

    def __init__(self, name: str, *, filename: str, timeout: float) -> None:
        super().__init__(name, filename=filename, timeout=timeout, create_tables=False)
        self._conn: sqlite3.Connection | None = None
        self._open_file: tuple[int, int] | None = None

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        # A connection for each task costs a millisecond or two. No thread waits for another, and a file that was
        # replaced is found.
        with closing(self._connect(ENQUEUE_SECONDS)) as connection:
            connection.execute(
                "insert into task (queue, data, priority) values (?, ?, ?)", (self.name, data, priority or 0)
            )

    @property
    def conn(self) -> sqlite3.Connection:
        """The worker's connection, which is opened again when the file was replaced."""
        if self._conn is not None and self._open_file != self._identify_file():
            self._conn.close()
            self._conn = None
        if self._conn is None:
            self._conn = self._connect(self._timeout)
            self._open_file = self._identify_file()
        return self._conn

    def _connect(self, timeout: float) -> sqlite3.Connection:
        connection = sqlite3.connect(self.filename, timeout=timeout, check_same_thread=False, isolation_level=None)
        try:
            # Persistent in the file. Where several processes create it at once, one of them fails and tries again.
            connection.execute("pragma journal_mode=wal")
            # A power cut may lose the last wake-ups, but does not corrupt the file.
            connection.execute("pragma synchronous=normal")
            for statement in self.ddl:
                connection.execute(statement)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _identify_file(self) -> tuple[int, int] | None:
        """The device and inode of the file, `None` if there is none."""
        try:
            found = Path(self.filename).stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino


class RedisQueue(RedisStorage):  # type: ignore[misc]
    """A list in Redis."""

    def __init__(self, name: str, *, url: str) -> None:
        worker = _build_pool(url, connect_seconds=WORKER_CONNECT_SECONDS, seconds=WORKER_SECONDS)
        super().__init__(name, connection_pool=worker, read_timeout=READ_SECONDS)
        self._producer = Redis(
            connection_pool=_build_pool(url, connect_seconds=ENQUEUE_SECONDS, seconds=ENQUEUE_SECONDS)
        )

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        self._producer.lpush(self.queue_key, data)


def _build_pool(url: str, *, connect_seconds: float, seconds: float) -> ConnectionPool:
    pool = ConnectionPool.from_url(url)
    # Override what the URL says of timeouts, and disable the retries of the library.
    pool.connection_kwargs.update(
        socket_connect_timeout=connect_seconds, socket_timeout=seconds, retry=None, retry_on_timeout=False
    )
    return pool
