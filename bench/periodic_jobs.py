"""Measures the periodic jobs on tables of sessions of several sizes, and what their indexes are worth.

Fills a database of its own, on SQLite and on PostgreSQL if one answers, and compares the query of each job with a naive
one, which filters by status and date.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SIZES = (10_000, 100_000, 1_000_000)
DUE, BATCH, TIMES = 200, 20, 7
SOURCE = Path(__file__).resolve().parent.parent
# The indexes of the API's lists, which the naive queries use.
INDEXES_OF_LISTS = ("session_by_status", "session_by_date")


def print_text(text: str = "", *, end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()


# --- All databases ------------------------------------------------------------------------------------------------


def main(sizes: list[str]) -> None:
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, environment in create_databases():
            print_text(f"\n=== {name} ===")
            file = Path(scratch) / "results.json"
            process = subprocess.run(
                [sys.executable, "-m", "bench.periodic_jobs", "--here", str(file), *sizes],
                cwd=SOURCE,
                env={**os.environ, "DATA_DIR": scratch, "PYTHONPATH": str(SOURCE / "src"), **environment},
                check=False,
            )
            if process.returncode:
                sys.exit(process.returncode)
            results += json.loads(file.read_text())
    print_table(results)


def create_databases() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the name of each database, and the environment variables that select it; drops it afterwards."""
    # The default: a file in DATA_DIR.
    yield "SQLite", {"DATABASE_URL": ""}
    import psycopg

    given = os.environ.get("DATABASE_URL", "")
    url = given if given.startswith("postgres") else os.environ.get("TEST_DATABASE_URL", "")
    url = url or "postgres://postgres@127.0.0.1:5432/postgres"
    name = f"peer_learning_bench_{os.getpid()}"
    try:
        server = psycopg.connect(url, autocommit=True, connect_timeout=5)
    except psycopg.Error:
        print_text("\nNo PostgreSQL answers: only SQLite was measured.")
        return
    with server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            yield "PostgreSQL", {"DATABASE_URL": urlsplit(url)._replace(path=f"/{name}").geturl()}
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def print_table(results: list[dict[str, Any]]) -> None:
    print_text(f"\nQueries in milliseconds, the median of {TIMES}. {DUE} sessions are due each time.\n")
    heads = ["database", "sessions", "job", "first batch", "naive", "naive, no index", "all, seconds", "handled"]
    rows = [[*map(str, each.values())] for each in results]
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    for row in [heads, ["-" * width for width in widths], *rows]:
        print_text("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")


# --- One database -------------------------------------------------------------------------------------------------


def measure(file: str, sizes: list[int]) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "core.settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from bench.fill_sessions import fill
    from modules.sessions.services.reminders import reschedule_reminders

    call_command("migrate", verbosity=0)
    print_text(f"Python {platform.python_version()}, {connection.display_name} {read_version()}")
    results = []
    for size in sizes:
        began = time.perf_counter()
        for count in fill(size, due=DUE):
            print_text(f"\rFilling: {count:>9,} of {size:,}", end="")
        print_text(f" in {time.perf_counter() - began:.0f} seconds")
        results += [
            {"database": connection.display_name, "sessions": f"{size:,}", **row}
            for row in measure_jobs(reschedule_reminders)
        ]
    Path(file).write_text(json.dumps(results))


def measure_jobs(reschedule_reminders: Callable[[], int]) -> Iterator[dict[str, Any]]:
    from modules.sessions.services.life_cycle import advance_due_sessions, select_due_sessions
    from modules.sessions.services.reminders import (
        nudge_creators,
        remind_due_sessions,
        select_due_for_nudge,
        select_due_for_reminder,
    )

    jobs: list[tuple[str, Any, Callable[[], int], Any]] = [
        ("move", select_due_sessions, advance_due_sessions, select_naively_to_move),
        ("remind", select_due_for_reminder, remind_due_sessions, select_naively_to_remind),
        ("nudge", select_due_for_nudge, nudge_creators, select_naively_to_nudge),
    ]
    for name, due, job, naive in jobs:
        print_text(f"  {name}:")
        for line in due()[:BATCH].explain().splitlines()[:3]:
            print_text(f"    {line}")
        ours, theirs = measure_query(due), measure_query(naive)
        with drop_indexes_of_lists():
            worst = measure_query(naive)
        began = time.perf_counter()
        handled = job()
        yield {
            "job": name,
            "first batch": f"{ours:.2f}",
            "naive": f"{theirs:.2f}",
            "naive, no index": f"{worst:.2f}",
            "all": f"{time.perf_counter() - began:.2f}",
            "handled": handled,
        }
    began = time.perf_counter()
    rescheduled = reschedule_reminders()
    yield {
        "job": "check schedules",
        **dict.fromkeys(["first batch", "naive", "naive, no index"], ""),
        "all": f"{time.perf_counter() - began:.2f}",
        "handled": rescheduled,
    }


def measure_query(due: Callable[[], Any]) -> float:
    """Return the median time to find and lock the first batch, in milliseconds."""
    from django.db import transaction

    from core.database.locking import lock_batch

    times = []
    for _ in range(TIMES):
        with transaction.atomic():
            began = time.perf_counter()
            lock_batch(due(), size=BATCH)
            times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


@contextmanager
def drop_indexes_of_lists() -> Iterator[None]:
    """Drop the indexes on status and date within the block."""
    from django.db import connection, transaction

    with transaction.atomic():
        with connection.cursor() as cursor:
            for name in INDEXES_OF_LISTS:
                cursor.execute(f"DROP INDEX {name}")
        yield
        transaction.set_rollback(True)


def read_version() -> str:
    from django.db import connection

    sql = "SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version"
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return str(cursor.fetchone()[0])


# --- Naive queries ------------------------------------------------------------------------------------------------


def select_naively_to_move() -> Any:
    from django.db.models import Q

    from core.time import clock
    from modules.sessions.models import Session

    now = clock.now()
    to_begin = Q(status__in=["pending_approval", "approved", "scheduled"], date__lte=now)
    return Session.objects.filter(to_begin | Q(status="ongoing", ends_at__lte=now)).order_by("date")


def select_naively_to_remind() -> Any:
    """Select sessions within a day without a reminder; checks only that of the creator."""
    from django.db.models import Exists, OuterRef

    from modules.sessions.models import Reminder

    reminded = Reminder.objects.filter(
        session=OuterRef("pk"), minutes_before=24 * 60, starts_at=OuterRef("date"), user=OuterRef("creator")
    )
    return _select_within_a_day().filter(~Exists(reminded)).order_by("date")


def select_naively_to_nudge() -> Any:
    from django.db.models import Exists, OuterRef

    from modules.sessions.models import BookingRequest

    undecided = BookingRequest.objects.filter(session=OuterRef("pk"), status="pending")
    return _select_within_a_day().filter(Exists(undecided)).order_by("date")


def _select_within_a_day() -> Any:
    from core.time import clock
    from modules.sessions.models import Session

    now = clock.now()
    return Session.objects.filter(status__in=["approved", "scheduled"], date__gt=now, date__lte=now + timedelta(days=1))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--here"]:
        measure(sys.argv[2], [int(size) for size in sys.argv[3:]])
    else:
        main([size.replace(",", "").replace("_", "") for size in sys.argv[1:]] or [str(size) for size in SIZES])
