"""Processing rows in batches: each row once, and independent of the failures of others."""

import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from tests.core.conftest import NOW
from tests.threads import run_in_threads

from core.facts.models import FailedDelivery
from core.jobs.batches import process_in_batches
from core.jobs.models import Sweep

pytestmark = pytest.mark.django_db

NO_SUCH_FACT = 123_456_789


@pytest.fixture
def make_rows() -> Callable[[int], list[int]]:
    """Creates so many due rows; returns their ids."""

    def make(number: int) -> list[int]:
        rows = [Sweep(name=f"row {each}", every=timedelta(0), started_at=NOW) for each in range(number)]
        return [row.pk for row in Sweep.objects.bulk_create(rows)]

    return make


def due() -> Any:
    return Sweep.objects.filter(taken_up=0).order_by("pk")


def list_handled() -> list[int]:
    return list(Sweep.objects.filter(taken_up__gt=0).order_by("pk").values_list("pk", flat=True))


def handle_row(row: Sweep) -> None:
    row.taken_up += 1
    row.save(update_fields=["taken_up"])


def build_failing_handler(bad: Iterable[int], failure: Callable[[], object]) -> Callable[[Sweep], None]:
    """Build a handler that fails for the bad rows after it has changed them."""

    def handle(row: Sweep) -> None:
        handle_row(row)
        if row.pk in bad:
            failure()

    return handle


def raise_error() -> None:
    raise ValueError("poison")


def violate_constraint() -> None:
    """Violate a constraint that is checked at once."""
    Sweep.objects.create(name="row 0", every=timedelta(0), started_at=NOW)


def violate_deferred_constraint() -> None:
    """Violate a constraint that is checked at the commit."""
    FailedDelivery.objects.create(fact_id=NO_SUCH_FACT, receiver="nobody", error="", failed_at=NOW)


@pytest.mark.parametrize("number", [0, 1, 19, 20, 21, 45])
def test_each_due_row_is_handled_once(make_rows: Any, number: int) -> None:
    rows = make_rows(number)

    assert process_in_batches(due, handle_row) == number
    assert list_handled() == rows
    assert set(Sweep.objects.values_list("taken_up", flat=True)) <= {1}
    assert process_in_batches(due, handle_row) == 0


@pytest.mark.django_db(transaction=True)
def test_a_batch_is_committed_before_the_next_begins(make_rows: Any) -> None:
    make_rows(5)
    committed = []

    def handle(row: Sweep) -> None:
        handle_row(row)
        transaction.on_commit(lambda: committed.append(row.pk))
        seen.append(len(committed))

    seen: list[int] = []
    process_in_batches(due, handle, size=2)

    assert seen == [0, 0, 2, 2, 4]


def test_rows_beyond_the_limit_are_left_for_the_next_run(make_rows: Any) -> None:
    rows = make_rows(50)

    assert process_in_batches(due, handle_row, size=10, limit=20) == 20
    assert list_handled() == rows[:20]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("failure", [raise_error, violate_constraint, violate_deferred_constraint])
@pytest.mark.parametrize("bad", [{0}, {7}, {19}, {20}, {44}, {3, 4, 30}])
def test_a_row_that_fails_does_not_affect_the_others(
    *, make_rows: Any, failure: Callable[[], object], bad: set[int], caplog: pytest.LogCaptureFixture
) -> None:
    rows = make_rows(45)
    bad_rows = {rows[index] for index in bad}

    assert process_in_batches(due, build_failing_handler(bad_rows, failure)) == 45 - len(bad)

    assert list_handled() == [row for row in rows if row not in bad_rows]
    assert set(Sweep.objects.values_list("taken_up", flat=True)) == {0, 1}
    for row in bad_rows:
        assert f"Sweep {row} could not be" in caplog.text
    # The next run handles them.
    assert process_in_batches(due, handle_row) == len(bad)
    assert list_handled() == rows


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize("failure", [raise_error, violate_constraint, violate_deferred_constraint])
def test_a_run_ends_when_all_rows_fail(make_rows: Any, failure: Callable[[], object]) -> None:
    rows = make_rows(25)

    assert process_in_batches(due, build_failing_handler(rows, failure), limit=1000) == 0
    assert list_handled() == []


@pytest.mark.django_db(transaction=True)
def test_only_a_batch_that_could_not_be_committed_is_handled_row_by_row(make_rows: Any, unlogged: None) -> None:
    rows = make_rows(60)
    handle = build_failing_handler({rows[5]}, violate_deferred_constraint)
    sizes: list[int] = []

    def counting() -> Any:
        sizes.append(due().count())
        return due()

    process_in_batches(counting, handle)

    # The first batch, its 20 rows one by one, and the other batches.
    assert sizes[0] == 60
    assert len(sizes) == 1 + 20 + 3


def test_many_workers_handle_each_row_once(make_rows: Any, transactional_db: None) -> None:
    make_rows(200)

    handled = run_in_threads(4, lambda: process_in_batches(due, handle_row, size=5))

    assert sum(handled) == 200
    assert set(Sweep.objects.values_list("taken_up", flat=True)) == {1}


def test_rows_that_another_worker_has_locked_are_skipped(make_rows: Any, transactional_db: None) -> None:
    """On SQLite, which has no row locks, the second worker waits."""
    rows = make_rows(30)
    holds, may_go_on = threading.Event(), threading.Event()

    def hold(row: Sweep) -> None:
        holds.set()
        assert may_go_on.wait(30)
        handle_row(row)

    def be_slow() -> None:
        try:
            process_in_batches(due, hold, size=10, limit=10)
        finally:
            connections.close_all()

    slow = threading.Thread(target=be_slow)
    slow.start()
    assert holds.wait(30)
    if connection.features.has_select_for_update_skip_locked:
        assert process_in_batches(due, handle_row) == 20
        assert list_handled() == rows[10:]
    may_go_on.set()
    slow.join()
    process_in_batches(due, handle_row)

    assert list_handled() == rows
    assert set(Sweep.objects.values_list("taken_up", flat=True)) == {1}


def test_each_row_takes_three_queries(make_rows: Any) -> None:
    def count_queries(number: int) -> int:
        make_rows(number)
        with CaptureQueriesContext(connection) as captured:
            assert process_in_batches(due, handle_row) == number
        Sweep.objects.all().delete()
        return len(captured)

    few, many = count_queries(10), count_queries(19)

    # SAVEPOINT, the change, RELEASE SAVEPOINT.
    assert many - few == 9 * 3
