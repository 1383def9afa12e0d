"""Statement timeouts: one for the queries of web requests, and one for those of jobs and commands.

A query that takes longer raises `OperationalError`; the connection stays usable.
"""

from time import perf_counter
from typing import Any

from django.conf import settings
from django.db.backends.signals import connection_created

from core.monitoring.request_id import get_current_request_id

# The number of virtual machine instructions between two calls of SQLite's progress handler: a few milliseconds.
PROGRESS_INSTRUCTIONS = 20_000


class Deadline:
    """A progress handler for SQLite that interrupts the query after `at` (by `perf_counter`; `None` for never)."""

    def __init__(self) -> None:
        self.at: float | None = None

    def __call__(self) -> bool:
        return self.at is not None and perf_counter() > self.at


def get_timeout_seconds() -> float:
    """Return the timeout of a query that starts now; 0 for none."""
    web, jobs = settings.DATABASE_STATEMENT_TIMEOUT_SECONDS, settings.DATABASE_JOB_STATEMENT_TIMEOUT_SECONDS
    return float(web if get_current_request_id() else jobs)


def install_timeout(connection: Any, **_: Any) -> None:
    """Limit the queries of a connection that was just opened or taken from the pool."""
    if connection.vendor == "sqlite":
        connection.deadline = Deadline()
        connection.connection.set_progress_handler(connection.deadline, PROGRESS_INSTRUCTIONS)
    else:
        # Now, outside a transaction, whose rollback would undo it.
        _set_session_timeout(connection)
    if _execute_with_timeout not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, _execute_with_timeout)


connection_created.connect(install_timeout)


def _execute_with_timeout(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    connection = context["connection"]
    if connection.vendor == "sqlite":
        seconds = get_timeout_seconds()
        # Stays until the next query, since SQLite computes rows while they are fetched.
        connection.deadline.at = perf_counter() + seconds if seconds else None
    else:
        _set_session_timeout(connection)
    return execute(sql, params, many, context)


def _set_session_timeout(connection: Any) -> None:
    """Set `statement_timeout` of the PostgreSQL session, unless it already has this value."""
    session, milliseconds = connection.connection, round(get_timeout_seconds() * 1000)
    if getattr(session, "statement_milliseconds", None) == milliseconds:
        return
    with connection.wrap_database_errors:
        session.execute(f"SET statement_timeout = {milliseconds}")
    session.statement_milliseconds = milliseconds
