"""Work that several threads do at once."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections


def at_once(number: int, work: Callable[[], Any]) -> list[Any]:
    """What each of so many threads got, or the error that it met. Needs `django_db(transaction=True)`."""
    return together(*[work] * number)


def together(*works: Callable[[], Any]) -> list[Any]:
    """The same for works that differ, a thread for each; the results come in no order."""
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
