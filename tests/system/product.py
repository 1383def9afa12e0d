"""The whole product as processes, as `./just up` starts it."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg
from django.conf import settings

SOURCE = Path(settings.CHECKOUT) / "src"


class Product:
    """The product with its own port, data folder and database."""

    def __init__(self, data: Path, database_url: str | None) -> None:
        self.output = data / "output.txt"
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        data_dir = str(data / "data")
        self.mark = f"DATA_DIR={data_dir}".encode()
        self.environment = {
            "PATH": os.environ["PATH"],
            "DATA_DIR": data_dir,
            "PORT": str(self.port),
            **({"DATABASE_URL": database_url} if database_url else {}),
        }

    def start(self, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a management command, by default `up`."""
        with self.output.open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "manage.py", *(command or ("up",))],
                cwd=SOURCE,
                env={**self.environment, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def run(self, **environment: str) -> tuple[int, str]:
        """Run a command that is expected to exit; return its exit code and output."""
        return self.start(**environment).wait(timeout=30), self.printed

    def manage(self, *command: str) -> None:
        assert self.start(*command).wait(timeout=60) == 0, self.printed

    def query(self, sql: str) -> int:
        """Return one number from the database."""
        if "DATABASE_URL" in self.environment:
            with psycopg.connect(self.environment["DATABASE_URL"]) as connection:
                row = connection.execute(sql).fetchone()
        else:
            file = Path(self.environment["DATA_DIR"]) / "database.sqlite3"
            with closing(sqlite3.connect(file, timeout=20)) as connection:
                row = connection.execute(sql).fetchone()
        assert row is not None
        return int(row[0])

    @property
    def printed(self) -> str:
        return self.output.read_text()

    def processes(self) -> list[int]:
        """The ids of all processes that were started here, found by their environment."""
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if self.mark in path.read_bytes().split(b"\0"):
                    found.append(int(path.parent.name))
        return found

    def get(self, path: str, host: str = "localhost") -> int:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Host": host})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)

    def log_in(self, username: str) -> bool:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/auth/token/",
            json.dumps({"username": username, "password": "learn-together"}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return "access" in json.load(answer)


@contextmanager
def serving(product: Product, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run only the web server, by the command in docs/operations.md."""
    command = [
        *(sys.executable, "-m", "granian", "--interface", "asginl", "--no-ws", "core.asgi:application"),
        *("--host", "127.0.0.1", "--port", str(product.port)),
    ]
    with product.output.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=SOURCE, env={**product.environment, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_for(lambda: is_up(product), product)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def is_up(product: Product) -> bool:
    try:
        return product.get("/healthz") == 200
    except OSError:
        return False


def wait_for(condition: Callable[[], bool], product: Product, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, product.printed
        time.sleep(0.1)


def wait_until_up(product: Product) -> None:
    # Long, since test machines may be slow.
    wait_for(lambda: "Ctrl-C stops it" in product.printed, product, seconds=180)


def wait_until_gone(product: Product, seconds: float = 5) -> None:
    """Killed processes may take a moment to disappear."""
    wait_for(lambda: product.processes() == [], product, seconds)
