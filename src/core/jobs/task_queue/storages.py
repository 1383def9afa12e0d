"""Where tasks lie until the worker takes them: a SQLite file, or Redis.

Whoever enqueues has somebody waiting for an answer, and gives up soon; the worker has time. So each storage has two
sides with timeouts of their own. Nothing is opened before it is needed: the product starts while its queue is away.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from huey.storage import RedisStorage, SqliteStorage
from redis import ConnectionPool, Redis

# For each step of enqueueing: to connect, to be let in, to write.
ENQUEUE_SECONDS = 0.25
# The worker waits for news that long at Redis, and knows a server that is gone by an answer that is later than the
# timeout: it has to be the longer.
READ_SECONDS = 1
WORKER_SECONDS = 10
WORKER_CONNECT_SECONDS = 5


class SqliteQueue(SqliteStorage):  # type: ignore[misc]
    """A file that is made, and made anew where it was taken away, by whoever comes first."""

    def __init__(self, name: str, *, filename: str, timeout: float) -> None:
        super().__init__(name, filename=filename, timeout=timeout, create_tables=False)
        self._conn: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        # Opened for this one: that costs a millisecond or two, no thread waits for another, and a file that has been
        # replaced is the new one.
        with closing(self._connect(ENQUEUE_SECONDS)) as connection:
            connection.execute(
                "insert into task (queue, data, priority) values (?, ?, ?)", (self.name, data, priority or 0)
            )

    @property
    def conn(self) -> sqlite3.Connection:
        """The worker's connection, to the file that is there now."""
        if self._conn is not None and self._opened != self._file():
            self._conn.close()
            self._conn = None
        if self._conn is None:
            self._conn = self._connect(self._timeout)
            self._opened = self._file()
        return self._conn

    def _connect(self, timeout: float) -> sqlite3.Connection:
        connection = sqlite3.connect(self.filename, timeout=timeout, check_same_thread=False, isolation_level=None)
        try:
            # The file remembers it. Where several make the file at once, one of them is refused and comes again.
            connection.execute("pragma journal_mode=wal")
            # A power cut may take the last wake-ups along, and spares the file.
            connection.execute("pragma synchronous=normal")
            for statement in self.ddl:
                connection.execute(statement)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _file(self) -> tuple[int, int] | None:
        """Which file has the name, `None` for none."""
        try:
            found = Path(self.filename).stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino


class RedisQueue(RedisStorage):  # type: ignore[misc]
    """A list in Redis."""

    def __init__(self, name: str, *, url: str) -> None:
        worker = _pool(url, connect_seconds=WORKER_CONNECT_SECONDS, seconds=WORKER_SECONDS)
        super().__init__(name, connection_pool=worker, read_timeout=READ_SECONDS)
        self._producer = Redis(connection_pool=_pool(url, connect_seconds=ENQUEUE_SECONDS, seconds=ENQUEUE_SECONDS))

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        self._producer.lpush(self.queue_key, data)


def _pool(url: str, *, connect_seconds: float, seconds: float) -> ConnectionPool:
    pool = ConnectionPool.from_url(url)
    # Whatever the address says of them, and once: the library tries again by itself unless it is told not to.
    pool.connection_kwargs.update(
        socket_connect_timeout=connect_seconds, socket_timeout=seconds, retry=None, retry_on_timeout=False
    )
    return pool
