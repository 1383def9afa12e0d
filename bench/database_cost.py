"""What something asks of the database, and Django's own way of showing a list, to measure ours beside."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Database:
    """What was asked of it, and how long it took, with the rows that it sent."""

    def __init__(self) -> None:
        self.queries = 0
        self.seconds = 0.0

    def timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            try:
                return call(*args, **kwargs)
            finally:
                self.seconds += time.perf_counter() - began

        return run


@contextmanager
def timed() -> Iterator[Database]:
    """SQLite looks for rows while they are fetched: so that is counted, too."""
    from django.db import connection
    from django.db.backends.utils import CursorWrapper

    database = Database()

    class Cursor(CursorWrapper):
        def execute(self, *args: Any, **kwargs: Any) -> Any:
            database.queries += 1
            return database.timed(super().execute)(*args, **kwargs)

        def __getattr__(self, name: str) -> Any:
            found = super().__getattr__(name)
            return database.timed(found) if name in {"fetchone", "fetchmany", "fetchall"} else found

    def wrapped(cursor: Any) -> Cursor:
        return Cursor(cursor, connection)

    wrappers: Any = connection
    made = wrappers.make_cursor, wrappers.make_debug_cursor
    wrappers.make_cursor = wrappers.make_debug_cursor = wrapped
    try:
        yield database
    finally:
        wrappers.make_cursor, wrappers.make_debug_cursor = made


@contextmanager
def counted_by_django() -> Iterator[None]:
    """Every list as Django has it by itself: a paginator that counts, and the number of all rows beside it."""
    from django.contrib.admin.views.main import ChangeList
    from django.core.paginator import Paginator

    from core.portal.lists import PortalAdmin
    from core.portal.paging import UncountedChangeList

    lists: Any = UncountedChangeList
    ours = lists.get_results, PortalAdmin.paginator, PortalAdmin.show_full_result_count

    def get_results(change_list: Any, request: Any) -> None:
        ChangeList.get_results(change_list, request)
        if rows := list(change_list.result_list):
            change_list.model_admin.prepare_rows(rows)

    lists.get_results = get_results
    PortalAdmin.paginator, PortalAdmin.show_full_result_count = Paginator, True
    try:
        yield
    finally:
        lists.get_results, PortalAdmin.paginator, PortalAdmin.show_full_result_count = ours
