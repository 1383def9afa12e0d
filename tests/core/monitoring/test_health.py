"""The health check, `GET /healthz`."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from tests.core.conftest import NOW

from core.jobs.models import Sweep
from core.jobs.periodic import PERIODIC_JOBS


@pytest.fixture
def worker(db: None, clock: Any) -> Any:
    """All periodic jobs have just run."""
    for name, schedule in PERIODIC_JOBS.items():
        Sweep.objects.create(name=name, every=schedule.every, started_at=NOW, finished_at=NOW)
    return clock


def test_the_health_check_needs_no_login(client: Client, worker: Any) -> None:
    answer = client.get("/healthz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "worker": {"last_ran_at": "2024-01-13T11:00:00Z", "late": False}}


def test_a_worker_that_never_ran_is_late(client: Client, db: None) -> None:
    answer = client.get("/healthz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "worker": {"last_ran_at": None, "late": True}}


def test_a_stopped_worker_is_late_after_three_minutes_and_the_status_stays_200(client: Client, worker: Any) -> None:
    worker.shift(timedelta(minutes=3))
    assert client.get("/healthz").json()["worker"]["late"] is False

    worker.shift(timedelta(seconds=1))
    answer = client.get("/healthz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "worker": {"last_ran_at": "2024-01-13T11:00:00Z", "late": True}}


def test_the_status_is_503_without_the_database(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError("could not connect to server: the password is swordfish")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", fail)
        answer = client.get("/healthz")

    assert answer.status_code == 503
    assert answer.json() == {"error": "The service is not available right now. Try again later."}


def test_the_health_check_skips_allowed_hosts_and_the_https_redirect(client: Client, db: None, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["learning.example"]
    settings.SECURE_SSL_REDIRECT = True

    answer = client.get("/healthz", headers={"host": "10.1.2.3:8000"})

    assert answer.status_code == 200
    assert "X-Request-ID" in answer


def test_the_health_check_takes_one_query(client: Client, worker: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        client.get("/healthz")


def test_the_health_check_allows_get_and_head_only(client: Client, db: None) -> None:
    assert client.head("/healthz").status_code == 200
    assert client.post("/healthz").status_code == 405
