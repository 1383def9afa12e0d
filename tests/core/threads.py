"""Running functions in several threads at the same time."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections


def at_once(number: int, work: Callable[[], Any]) -> list[Any]:
    """Call a function in so many threads; return the results and errors. Needs `django_db(transaction=True)`."""
    return together(*[work] * number)


def together(*works: Callable[[], Any]) -> list[Any]:
    """Call each function in a thread of its own; return the results and errors, in no particular order."""
    results: list[Any] = []
    start = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> None:
        start.wait()
        try:
            results.append(work())
        except Exception as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
