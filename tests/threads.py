"""Concurrent calls, each in a thread with its own database connection. They need `django_db(transaction=True)`."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections


def run_in_threads(number: int, call: Callable[[], Any]) -> list[Any]:
    """Make the same call in this number of threads; returns results and errors."""
    return run_concurrently(*[call] * number)


def run_concurrently(*calls: Callable[[], Any]) -> list[Any]:
    """Make all calls at the same time; returns the result of each, or the error that it raised, in their order."""
    ready = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        ready.wait(timeout=30)
        try:
            return call()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))
