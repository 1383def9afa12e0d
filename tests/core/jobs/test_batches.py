"""Working off what is due: every row once, and none for the sake of another."""

import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from tests.core.conftest import NOW
from tests.core.threads import at_once

from core.facts.models import FailedDelivery
from core.jobs.batches import process_in_batches
from core.jobs.models import Sweep

pytestmark = pytest.mark.django_db

NO_SUCH_FACT = 123_456_789


@pytest.fixture
def make_rows() -> Callable[[int], list[int]]:
    """Makes so many rows that are due, and answers their ids."""

    def make(number: int) -> list[int]:
        rows = [Sweep(name=f"row {each}", every=timedelta(0), started_at=NOW) for each in range(number)]
        return [row.pk for row in Sweep.objects.bulk_create(rows)]

    return make


def due() -> Any:
    return Sweep.objects.filter(taken_up=0).order_by("pk")


def done() -> list[int]:
    return list(Sweep.objects.filter(taken_up__gt=0).order_by("pk").values_list("pk", flat=True))


def take_up(row: Sweep) -> None:
    row.taken_up += 1
    row.save(update_fields=["taken_up"])


def failing_on(bad: Iterable[int], failure: Callable[[], object]) -> Callable[[Sweep], None]:
    """Takes a row up, and then fails with the bad ones."""

    def handle(row: Sweep) -> None:
        take_up(row)
        if row.pk in bad:
            failure()

    return handle


def raise_error() -> None:
    raise ValueError("poison")


def break_rule() -> None:
    """What the database refuses at once."""
    Sweep.objects.create(name="row 0", every=timedelta(0), started_at=NOW)


def leave_dangling() -> None:
    """What the database refuses, but not before the commit."""
    FailedDelivery.objects.create(fact_id=NO_SUCH_FACT, receiver="nobody", error="", failed_at=NOW)


@pytest.mark.parametrize("number", [0, 1, 19, 20, 21, 45])
def test_everything_due_is_handled_once(make_rows: Any, number: int) -> None:
    rows = make_rows(number)

    assert process_in_batches(due, take_up) == number
    assert done() == rows
    assert set(Sweep.objects.values_list("taken_up", flat=True)) <= {1}
    assert process_in_batches(due, take_up) == 0


@pytest.mark.django_db(transaction=True)
def test_a_batch_is_committed_before_the_next_begins(make_rows: Any) -> None:
    make_rows(5)
    committed = []

    def handle(row: Sweep) -> None:
        take_up(row)
        transaction.on_commit(lambda: committed.append(row.pk))
        seen.append(len(committed))

    seen: list[int] = []
    process_in_batches(due, handle, size=2)

    assert seen == [0, 0, 2, 2, 4]


def test_what_is_over_the_limit_is_left_for_the_next_time(make_rows: Any) -> None:
    rows = make_rows(50)

    assert process_in_batches(due, take_up, size=10, limit=20) == 20
    assert done() == rows[:20]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("failure", [raise_error, break_rule, leave_dangling])
@pytest.mark.parametrize("bad", [{0}, {7}, {19}, {20}, {44}, {3, 4, 30}])
def test_a_row_that_fails_costs_the_others_nothing(
    *, make_rows: Any, failure: Callable[[], object], bad: set[int], caplog: pytest.LogCaptureFixture
) -> None:
    rows = make_rows(45)
    poisonous = {rows[index] for index in bad}

    assert process_in_batches(due, failing_on(poisonous, failure)) == 45 - len(bad)

    assert done() == [row for row in rows if row not in poisonous]
    assert set(Sweep.objects.values_list("taken_up", flat=True)) == {0, 1}
    for row in poisonous:
        assert f"Sweep {row} could not be" in caplog.text
    # It is taken up again the next time.
    assert process_in_batches(due, take_up) == len(bad)
    assert done() == rows


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize("failure", [raise_error, break_rule, leave_dangling])
def test_where_all_fail_it_comes_to_an_end(make_rows: Any, failure: Callable[[], object]) -> None:
    rows = make_rows(25)

    assert process_in_batches(due, failing_on(rows, failure), limit=1000) == 0
    assert done() == []


@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_refused_at_the_commit_slows_only_its_own_batch(make_rows: Any, unlogged: None) -> None:
    rows = make_rows(60)
    handle = failing_on({rows[5]}, leave_dangling)
    sizes: list[int] = []

    def counting() -> Any:
        sizes.append(due().count())
        return due()

    process_in_batches(counting, handle)

    # The first batch together, the same one by one, the others together again.
    assert sizes[0] == 60
    assert len(sizes) == 1 + 20 + 3


def test_many_workers_handle_each_row_once(make_rows: Any, transactional_db: None) -> None:
    make_rows(200)

    handled = at_once(4, lambda: process_in_batches(due, take_up, size=5))

    assert sum(handled) == 200
    assert set(Sweep.objects.values_list("taken_up", flat=True)) == {1}


def test_rows_that_another_worker_holds_are_passed_over(make_rows: Any, transactional_db: None) -> None:
    """Where the database locks rows; SQLite lets one writer in at a time, and the other one waits its turn."""
    rows = make_rows(30)
    holds, may_go_on = threading.Event(), threading.Event()

    def hold(row: Sweep) -> None:
        holds.set()
        assert may_go_on.wait(30)
        take_up(row)

    def be_slow() -> None:
        try:
            process_in_batches(due, hold, size=10, limit=10)
        finally:
            connections.close_all()

    slow = threading.Thread(target=be_slow)
    slow.start()
    assert holds.wait(30)
    if connection.features.has_select_for_update_skip_locked:
        assert process_in_batches(due, take_up) == 20
        assert done() == rows[10:]
    may_go_on.set()
    slow.join()
    process_in_batches(due, take_up)

    assert done() == rows
    assert set(Sweep.objects.values_list("taken_up", flat=True)) == {1}


def test_each_row_takes_as_many_queries_however_many_there_are(make_rows: Any) -> None:
    def queries(number: int) -> int:
        make_rows_of(number)
        with CaptureQueriesContext(connection) as captured:
            assert process_in_batches(due, take_up) == number
        Sweep.objects.all().delete()
        return len(captured)

    make_rows_of = make_rows
    few, many = queries(10), queries(19)

    # A savepoint, the change, the savepoint's end.
    assert many - few == 9 * 3
