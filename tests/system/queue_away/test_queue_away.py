"""Whatever becomes of the queue, what is written is answered and kept as on a day when all is well."""

from typing import Any

import pytest
from django.test import Client
from tests.system.queue_away.day import Day, find_differences
from tests.system.queue_away.queues import AWAY

pytestmark = pytest.mark.django_db(transaction=True, reset_sequences=True, serialized_rollback=True)


def writing_operations() -> set[str]:
    document = Client().get("/api/openapi.json").json()
    return {
        spec["operationId"]
        for methods in document["paths"].values()
        for method, spec in methods.items()
        if method in {"post", "put", "patch", "delete"}
    }


def test_the_day_has_every_operation_that_writes(good_day: Day) -> None:
    """One that comes new is put into `live`."""
    assert {step.operation for step in good_day.steps} - {"deactivate in the portal"} == writing_operations()


def test_on_a_good_day_nothing_is_worth_a_line(good_day: Day) -> None:
    assert [step.logged for step in good_day.steps if step.logged] == []
    assert {step.operation for step in good_day.steps if step.enqueued} >= {
        *("register", "ask_password_reset", "reset_password", "ask_address_change", "change_password"),
        *("delete_material", "delete_session", "deactivate in the portal"),
    }


@pytest.mark.parametrize("away", AWAY)
def test_a_queue_that_is_away_changes_neither_answers_nor_rows_and_the_sweeps_find_them(
    good_day: Day, spend: Any, away: str
) -> None:
    day = spend("away", AWAY[away])

    assert day.answers == good_day.answers
    assert find_differences(day.evening, good_day.evening) == []
    assert find_differences(day.night, good_day.night) == []
    assert day.mails == good_day.mails
    # One line for each request that had something for the queue, and no other.
    told = [[name for name, _ in step.logged] for step in day.steps]
    assert told == [["core.jobs.task_queue.enqueueing"] if step.enqueued else [] for step in good_day.steps]
    assert not [text for step in day.steps for _, text in step.logged if "\n" in text]
