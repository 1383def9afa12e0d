"""Runs a drill as a process, on the database of the tests."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import redis
from django.conf import settings

from drill.records import Records

SERVER = (
    urlsplit(os.environ["DATABASE_URL"])._replace(path="/postgres").geturl() if os.environ.get("DATABASE_URL") else ""
)
TIMEOUT_SECONDS = 500


@dataclass
class Run:
    pid: int
    status: int
    printed: str
    records: Records
    # The parent of its scratch folders.
    scratch: Path


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A drill that has ended."""

    pid: int
    returncode: int
    stdout: str
    stderr: str


def run_drill(*arguments: str, **environment: str) -> Ended:
    process = subprocess.Popen(
        [sys.executable, "-m", "drill", *arguments],
        cwd=settings.CHECKOUT,
        env={"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=TIMEOUT_SECONDS)
    finally:
        process.kill()
    return Ended(pid=process.pid, returncode=process.returncode, stdout=stdout, stderr=stderr)


def build_database_arguments() -> list[str]:
    """Select the database that the tests run on, and with PostgreSQL the queue: in Redis if it answers."""
    if not SERVER:
        return ["--database", "sqlite"]
    try:
        redis.Redis(socket_connect_timeout=5).ping()
    except redis.RedisError:
        return ["--database", "postgresql", "--queue", "file"]
    return ["--database", "postgresql", "--queue", "redis"]
