"""Waiting for others without keeping what others wait for."""

from django.db import connection


def release_connection() -> None:
    """Give the connection back before something slow that needs none; the next query takes one again.

    Under ASGI each request has its own, out of a pool that a few slow clients or storages would empty. Inside a
    transaction nothing is given back.
    """
    if not connection.in_atomic_block:
        connection.close()
