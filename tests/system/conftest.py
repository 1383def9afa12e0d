"""The product as processes, one for each test."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from tests.system.product import Product


@contextmanager
def new_database(name: str) -> Iterator[str | None]:
    """Create an empty database on the server of the tests; `None` stands for SQLite."""
    url = os.environ.get("DATABASE_URL")
    if url is None:
        yield None
        return
    server = urlsplit(url)._replace(path="/postgres").geturl()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    yield urlsplit(url)._replace(path=f"/{name}").geturl()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def new_product(folder: Path, database_url: str | None) -> Iterator[Product]:
    product = Product(folder, database_url)
    yield product
    for process in product.processes():
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


@pytest.fixture
def database_url() -> Iterator[str | None]:
    with new_database(f"peer_learning_up_{os.getpid()}") as url:
        yield url


@pytest.fixture
def product(tmp_path: Path, database_url: str | None) -> Iterator[Product]:
    with new_product(tmp_path, database_url) as product:
        yield product
