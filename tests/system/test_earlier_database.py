"""A database and a queue that an earlier version has filled still work.

They are from the version of 2026-12-01: the demo's members and sessions, one fact of each kind, a failed delivery of
each receiver, and one queued task of each kind.
"""

import gzip
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

pytestmark = pytest.mark.system

EARLIER = Path(__file__).parent / "earlier_database"
SOURCE = Path(settings.CHECKOUT) / "src"
USE = "import django, runpy, sys; django.setup(); runpy.run_path(sys.argv[1])"


def run_python(data: Path, *arguments: str) -> str:
    """What Python prints with these arguments, on the database in a folder."""
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(data), "DJANGO_SETTINGS_MODULE": "core.settings"}
    run = subprocess.run(
        [sys.executable, *arguments],
        cwd=SOURCE,
        env={**environment, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the earlier version's files, migrated."""
    folder = tmp_path_factory.mktemp("earlier")
    for name in ("database", "queue"):
        statements = gzip.decompress((EARLIER / f"{name}.sql.gz").read_bytes()).decode()
        with closing(sqlite3.connect(folder / f"{name}.sqlite3")) as connection:
            connection.executescript(statements)
    run_python(folder, "manage.py", "migrate", "--verbosity", "0")
    return folder


@pytest.fixture(scope="module")
def found(data: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(run_python(data, "-c", USE, str(EARLIER / "use.py")).splitlines()[-1])
    return result


def test_each_recorded_fact_is_read(found: dict[str, Any]) -> None:
    assert found["facts"] == {name: name.partition(".")[2] for name in found["kinds_of_facts"]}


def test_each_failed_delivery_is_delivered(found: dict[str, Any]) -> None:
    assert found["errors"] == []
    assert found["delivered"] == found["failed_deliveries"] == 19


def test_each_queued_task_runs(found: dict[str, Any]) -> None:
    assert found["tasks"] == {"delete_released": "complete", "wake_sender": "complete"}


def test_each_periodic_job_continues_its_schedule(found: dict[str, Any]) -> None:
    # The digest is no job of its own: what sends it claims an interval by that name.
    assert found["job_rows"] == sorted([*found["jobs"], "moderation digest"])


def test_members_find_what_they_had(found: dict[str, Any]) -> None:
    sessions, notifications, profile = found["api"].values()
    assert profile["username"] == "jane_smith"
    assert {name: len(rows) for name, rows in sessions.items()} == {"created": 10, "joined": 15}
    assert len(notifications) == 87


def test_moderators_find_their_pages(found: dict[str, Any]) -> None:
    assert found["portal"] == dict.fromkeys(found["portal"], 200)
