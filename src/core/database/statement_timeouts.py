"""How long one query may take: what a web request asks for has a limit of its own, and jobs and commands another.

Whatever takes longer is ended by the database, as an `OperationalError`; the connection goes on to be used.
"""

from time import perf_counter
from typing import Any

from django.conf import settings
from django.db.backends.signals import connection_created

from core.monitoring.request_id import get_current_request_id

# After so many instructions SQLite asks whether to go on: in a few milliseconds, and for no time that shows.
INSTRUCTIONS = 20_000


class Deadline:
    """When SQLite gives up the query in hand: an instant of `perf_counter`, `None` for never."""

    def __init__(self) -> None:
        self.at: float | None = None

    def __call__(self) -> bool:
        return self.at is not None and perf_counter() > self.at


def statement_seconds() -> float:
    """The limit for a query that is asked now; 0 for none."""
    web, jobs = settings.DATABASE_STATEMENT_TIMEOUT_SECONDS, settings.DATABASE_JOB_STATEMENT_TIMEOUT_SECONDS
    return float(web if get_current_request_id() else jobs)


def watch(connection: Any, **_: Any) -> None:
    """Limit what is asked through this connection, which has just been opened or come from the pool."""
    if connection.vendor == "sqlite":
        connection.deadline = Deadline()
        connection.connection.set_progress_handler(connection.deadline, INSTRUCTIONS)
    else:
        # Outside a transaction, with which it would be taken back.
        _limit_session(connection)
    if _limited not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, _limited)


connection_created.connect(watch)


def _limited(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    connection = context["connection"]
    if connection.vendor == "sqlite":
        seconds = statement_seconds()
        # Until the next one: SQLite looks for its rows while they are fetched.
        connection.deadline.at = perf_counter() + seconds if seconds else None
    else:
        _limit_session(connection)
    return execute(sql, params, many, context)


def _limit_session(connection: Any) -> None:
    """Tell PostgreSQL, which keeps it for the session: once for each, while a pool serves the same kind of work."""
    session, milliseconds = connection.connection, round(statement_seconds() * 1000)
    if getattr(session, "statement_milliseconds", None) == milliseconds:
        return
    with connection.wrap_database_errors:
        session.execute(f"SET statement_timeout = {milliseconds}")
    session.statement_milliseconds = milliseconds
