"""Runs the scenario with a given queue."""

import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection
from huey.contrib.djhuey import HUEY
from tests.system.queue_away.day import Day, Listener, World, list_rows, run_scenario, run_worker
from tests.system.queue_away.queues import open_working_queue
from tests.system.scenario import NOW

from core.jobs.task_queue import enqueueing, storages
from core.jobs.task_queue.enqueueing import CIRCUIT_BREAKER
from modules.materials.models import StoredFile


@pytest.fixture
def clock(time_machine: Any) -> Any:
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture(autouse=True)
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short timeouts for enqueueing, so that a hanging queue does not slow the tests."""
    monkeypatch.setattr(storages, "ENQUEUE_SECONDS", 0.02)
    monkeypatch.setattr(enqueueing, "SLOW_SECONDS", 0.01)


@pytest.fixture
def run_day(
    clock: Any, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> Iterator[Callable[[str, Any], Day]]:
    """Runs the scenario with a queue, then the worker with one that works. Needs an empty database."""
    listener = Listener()
    logging.getLogger().addHandler(listener)

    def run_day(name: str, queue: Any) -> Day:
        clock.move_to(NOW, tick=False)
        CIRCUIT_BREAKER.close()
        mail.outbox.clear()
        folder = tmp_path / name
        folder.mkdir()
        options = {"location": str(folder / "materials")}
        materials = {"BACKEND": "core.storages.local.LocalStorage", "OPTIONS": options}
        settings.STORAGES = {**settings.STORAGES, "materials_local": materials}
        world = World(clock, listener)
        with queue(folder) as storage, open_working_queue(folder / "back") as back:
            monkeypatch.setattr(HUEY, "storage", storage)
            run_scenario(world)
            world.day.evening = list_rows()
            monkeypatch.setattr(HUEY, "storage", storage if queue is open_working_queue else back)
            run_worker(clock)
        world.day.night = list_rows()
        world.day.mails = [(each.subject, each.to, re.sub(r"token=\S+", "…", each.body)) for each in mail.outbox]
        files = [path for path in (folder / "materials").rglob("*") if path.is_file()]
        assert len(files) == StoredFile.objects.count() == 1
        return world.day

    yield run_day
    logging.getLogger().removeHandler(listener)
    CIRCUIT_BREAKER.close()


# Cached: the scenario runs once in each process.
_well: list[Day] = []


@pytest.fixture
def good_day(run_day: Any) -> Day:
    if not _well:
        _well.append(run_day("well", open_working_queue))
        call_command(
            "flush",
            verbosity=0,
            interactive=False,
            reset_sequences=True,
            inhibit_post_migrate=True,
            allow_cascade=False,
        )
        connection.creation.deserialize_db_from_string(connection._test_serialized_contents)
    return _well[0]
