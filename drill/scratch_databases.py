"""Where a drill takes place: scratch databases that are gone afterwards."""

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
# Beside PostgreSQL; with SQLite the queue is a file in any case.
QUEUES = REDIS, FILE = "redis", "file"
# A word in Redis that says who uses one of its databases, should two drills look for one at once.
CLAIM = "drill"
CLAIM_SECONDS = 3600
SERVER_SECONDS = 5


class ServerMissing(Exception):
    """A server that a drill needs does not answer; in one sentence."""


@contextmanager
def scratch_databases(database: str, *, queue: str = REDIS) -> Iterator[dict[str, str]]:
    """The environment for one drill; all that it names is removed in the end. Raises `ServerMissing`."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="drill-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        environment = {
            # Nothing that somebody's shell says of the product.
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(_import_paths()),
            "PYTHONUNBUFFERED": "1",
            "DATA_DIR": str(folder),
            "DEBUG": "false",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "LOG_LEVEL": "WARNING",
        }
        if database == POSTGRESQL:
            environment["DATABASE_URL"] = stack.enter_context(_postgresql_database())
            if queue == REDIS:
                environment["REDIS_URL"] = stack.enter_context(_redis_database())
        yield environment


def _import_paths() -> list[str]:
    checkout = Path(__file__).resolve().parent.parent
    return [str(checkout), str(checkout / "src")]


@contextmanager
def _postgresql_database() -> Iterator[str]:
    url = os.environ.get("TEST_DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
    name = f"peer_learning_drill_{os.getpid()}"
    # Never an error's own words: they may repeat the URL, and with it a password.
    try:
        parts = urlsplit(url)
        server = f"{parts.hostname}:{parts.port or 5432}"
    except ValueError:
        raise ServerMissing("TEST_DATABASE_URL cannot be read") from None
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=SERVER_SECONDS)
    except psycopg.Error:
        raise ServerMissing(f"no PostgreSQL at {server}") from None
    with connection:
        # Of a drill that was killed, long ago: nobody else has our number now.
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield parts._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(url, autocommit=True) as again:
            again.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _redis_database() -> Iterator[str]:
    """An empty database of the server at TEST_REDIS_URL, from the last one down: the first ones are what people use."""
    parts = urlsplit(os.environ.get("TEST_REDIS_URL") or "redis://127.0.0.1:6379")
    for number in range(15, 0, -1):
        url = parts._replace(path=f"/{number}").geturl()
        client = redis.Redis.from_url(url, socket_connect_timeout=SERVER_SECONDS)
        try:
            if client.dbsize() or not client.set(CLAIM, os.getpid(), nx=True, ex=CLAIM_SECONDS):
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
