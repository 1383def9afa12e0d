"""Runs today's code on the database and queue below DATA_DIR, and prints what it finds as JSON. Run by the test."""

import json
import sys
from typing import Any

from django.conf import settings
from django.test import Client
from huey.contrib.djhuey import HUEY
from huey.signals import SIGNAL_COMPLETE, SIGNAL_ERROR

from core.facts.base import Fact
from core.facts.delivery import load_fact, retry_failed_deliveries
from core.facts.models import FactRecord, FailedDelivery
from core.jobs.models import Sweep
from core.jobs.periodic import PERIODIC_JOBS

SESSIONS = "/admin/learning_sessions/session/"


def run_queued_tasks() -> dict[str, str]:
    """How each queued task ended, by its name: Huey's signal."""
    outcomes = {}

    def record(signal: str, task: Any, *_: Any) -> None:
        outcomes[task.name] = signal

    HUEY.signal(SIGNAL_COMPLETE, SIGNAL_ERROR)(record)
    while task := HUEY.dequeue():
        # As on the day when it was queued: wake-ups expire.
        HUEY.execute(task, task.expires_resolved)
    return outcomes


def read_as(username: str, *paths: str) -> dict[str, Any]:
    """What each path of the API answers a member, by its path."""
    client = Client(headers={"host": "localhost"})
    login = {"username": username, "password": "learn-together"}
    token = client.post("/api/auth/token/", login, content_type="application/json").json()["access"]
    return {path: client.get(path, headers={"authorization": f"Bearer {token}"}).json() for path in paths}


def read_portal(*paths: str) -> dict[str, int]:
    """The status that each page of the portal answers a moderator."""
    client = Client(headers={"host": "localhost"})
    assert client.login(username="moderator", password="learn-together")
    return {path: client.get(path).status_code for path in paths}


def main() -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    facts = {record.name: type(load_fact(record)).__name__ for record in FactRecord.objects.all()}
    found = {
        # Before anything else writes.
        "api": read_as("jane_smith", "/api/sessions/my_sessions/", "/api/notifications/", "/api/auth/me/"),
        "kinds_of_facts": sorted(Fact.kinds),
        "facts": facts,
        "failed_deliveries": FailedDelivery.objects.filter(delivered_at=None).count(),
        "delivered": retry_failed_deliveries(),
        "errors": list(FailedDelivery.objects.filter(delivered_at=None).values_list("receiver", "error")),
        "tasks": run_queued_tasks(),
        "jobs": sorted(PERIODIC_JOBS),
        "job_rows": sorted(Sweep.objects.values_list("name", flat=True)),
        "portal": read_portal(
            "/admin/", "/admin/learning_sessions/session/", "/admin/learning_sessions/session/1/change/"
        ),
    }
    sys.stdout.write(json.dumps(found))


main()
