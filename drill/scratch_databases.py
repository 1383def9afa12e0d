"""Scratch databases for a drill, which are removed afterwards."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg import sql

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
# With PostgreSQL; with SQLite the queue is always a file.
QUEUES = REDIS, FILE = "redis", "file"
# The key that marks a database in Redis as used, in case two drills look for one at the same time.
CLAIM_KEY = "drill"
CLAIM_SECONDS = 3600
CONNECT_TIMEOUT_SECONDS = 5


class ServerMissing(Exception):
    """A server that the drill needs does not answer; the message is one sentence."""


@contextmanager
def create_scratch_databases(database: str, *, queue: str = REDIS) -> Iterator[dict[str, str]]:
    """Yield the environment for one drill, and remove all that it names afterwards. Raises `ServerMissing`."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="drill-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        environment = {
            # Nothing else is inherited: a shell may have settings of the product.
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(_list_import_paths()),
            "PYTHONUNBUFFERED": "1",
            "DATA_DIR": str(folder),
            "DEBUG": "false",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "LOG_LEVEL": "WARNING",
        }
        if database == POSTGRESQL:
            environment["DATABASE_URL"] = stack.enter_context(_create_postgresql_database())
            if queue == REDIS:
                environment["REDIS_URL"] = stack.enter_context(_claim_redis_database())
        yield environment


def _list_import_paths() -> list[str]:
    checkout = Path(__file__).resolve().parent.parent
    return [str(checkout), str(checkout / "src")]


@contextmanager
def _create_postgresql_database() -> Iterator[str]:
    url = os.environ.get("TEST_DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
    name = f"peer_learning_drill_{os.getpid()}"
    # The message of an error may contain the URL, and with it a password.
    try:
        parts = urlsplit(url)
        server = f"{parts.hostname}:{parts.port or 5432}"
    except ValueError:
        raise ServerMissing("TEST_DATABASE_URL cannot be read") from None
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_SECONDS)
    except psycopg.Error:
        raise ServerMissing(f"no PostgreSQL at {server}") from None
    with connection:
        # Left over from a killed drill with the same process id.
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield parts._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(url, autocommit=True) as again:
            again.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _claim_redis_database() -> Iterator[str]:
    """Yield the URL of an empty database at TEST_REDIS_URL, from the last one down, since people use the first."""
    parts = urlsplit(os.environ.get("TEST_REDIS_URL") or "redis://127.0.0.1:6379")
    for number in range(15, 0, -1):
        url = parts._replace(path=f"/{number}").geturl()
        client = redis.Redis.from_url(url, socket_connect_timeout=CONNECT_TIMEOUT_SECONDS)
        try:
            if client.dbsize() or not client.set(CLAIM_KEY, os.getpid(), nx=True, ex=CLAIM_SECONDS):
                continue
        except redis.RedisError:
            raise ServerMissing(f"no Redis at {parts.hostname}:{parts.port or 6379}") from None
        try:
            yield url
        finally:
            client.flushdb()
            client.close()
        return
    raise ServerMissing(f"no empty database in the Redis at {parts.hostname}:{parts.port or 6379}")
