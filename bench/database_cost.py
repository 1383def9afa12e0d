"""The cost of database access, and Django's own pagination for comparison."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class DatabaseUsage:
    """The number of queries, and the seconds that executing them and fetching their rows took."""

    def __init__(self) -> None:
        self.queries = 0
        self.seconds = 0.0

    def time_call(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            try:
                return call(*args, **kwargs)
            finally:
                self.seconds += time.perf_counter() - began

        return run


@contextmanager
def measure_database() -> Iterator[DatabaseUsage]:
    """Measure all queries in the block; includes fetching, during which SQLite finds its rows."""
    from django.db import connection
    from django.db.backends.utils import CursorWrapper

    usage = DatabaseUsage()

    class Cursor(CursorWrapper):
        def execute(self, *args: Any, **kwargs: Any) -> Any:
            usage.queries += 1
            return usage.time_call(super().execute)(*args, **kwargs)

        def __getattr__(self, name: str) -> Any:
            method = super().__getattr__(name)
            return usage.time_call(method) if name in {"fetchone", "fetchmany", "fetchall"} else method

    def make_cursor(cursor: Any) -> Cursor:
        return Cursor(cursor, connection)

    patched: Any = connection
    originals = patched.make_cursor, patched.make_debug_cursor
    patched.make_cursor = patched.make_debug_cursor = make_cursor
    try:
        yield usage
    finally:
        patched.make_cursor, patched.make_debug_cursor = originals


@contextmanager
def use_django_counts() -> Iterator[None]:
    """Give all lists Django's default pagination, which counts the matching rows, and all rows."""
    from django.contrib.admin.views.main import ChangeList
    from django.core.paginator import Paginator

    from core.portal.lists import PortalAdmin
    from core.portal.paging import UncountedChangeList

    lists: Any = UncountedChangeList
    originals = lists.get_results, PortalAdmin.paginator, PortalAdmin.show_full_result_count

    def get_results(change_list: Any, request: Any) -> None:
        ChangeList.get_results(change_list, request)
        if rows := list(change_list.result_list):
            change_list.model_admin.prepare_rows(rows)

    lists.get_results = get_results
    PortalAdmin.paginator, PortalAdmin.show_full_result_count = Paginator, True
    try:
        yield
    finally:
        lists.get_results, PortalAdmin.paginator, PortalAdmin.show_full_result_count = originals
