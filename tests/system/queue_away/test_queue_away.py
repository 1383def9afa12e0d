"""With an unavailable queue, responses, rows and mails are the same as with a working one."""

from typing import Any

import pytest
from django.test import Client
from tests.system.queue_away.day import Day, find_differences
from tests.system.queue_away.queues import AWAY

pytestmark = pytest.mark.django_db(transaction=True, reset_sequences=True, serialized_rollback=True)


def list_writing_operations() -> set[str]:
    document = Client().get("/api/openapi.json").json()
    return {
        spec["operationId"]
        for methods in document["paths"].values()
        for method, spec in methods.items()
        if method in {"post", "put", "patch", "delete"}
    }


def test_the_scenario_has_every_operation_that_writes(good_day: Day) -> None:
    """New operations are added to `run_scenario`."""
    assert {step.operation for step in good_day.steps} - {"deactivate in the portal"} == list_writing_operations()


def test_a_working_queue_logs_no_warnings(good_day: Day) -> None:
    assert [step.logged for step in good_day.steps if step.logged] == []
    assert {step.operation for step in good_day.steps if step.enqueued} >= {
        *("register", "ask_password_reset", "reset_password", "ask_address_change", "change_password"),
        *("delete_material", "delete_session", "deactivate in the portal"),
    }


@pytest.mark.parametrize("away", AWAY)
def test_an_unavailable_queue_changes_no_responses_and_periodic_jobs_do_the_work(
    good_day: Day, run_day: Any, away: str
) -> None:
    day = run_day("away", AWAY[away])

    assert day.answers == good_day.answers
    assert find_differences(day.evening, good_day.evening) == []
    assert find_differences(day.night, good_day.night) == []
    assert day.mails == good_day.mails
    # One line for each request that enqueues, and no others.
    loggers = [[name for name, _ in step.logged] for step in day.steps]
    assert loggers == [["core.jobs.task_queue.enqueueing"] if step.enqueued else [] for step in good_day.steps]
    assert not [text for step in day.steps for _, text in step.logged if "\n" in text]
