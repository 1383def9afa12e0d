"""Releasing database connections early."""

from django.db import connection


def release_connection() -> None:
    """Return the connection to the pool before slow work that needs none; the next query takes another.

    Under ASGI each request has a connection, and a few slow clients or storages could exhaust the pool. Does nothing
    inside a transaction.
    """
    if not connection.in_atomic_block:
        connection.close()
