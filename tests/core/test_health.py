"""`GET /healthz`, which supervisors and proxies ask."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client


def test_a_process_that_can_serve_says_so_to_anybody(client: Client, db: None) -> None:
    answer = client.get("/healthz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}


def test_a_process_without_its_database_says_so(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError("could not connect to server: the password is swordfish")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", fail)
        answer = client.get("/healthz")

    assert answer.status_code == 503
    assert answer.json() == {"error": "The service is not available right now. Try again later."}


def test_who_asks_by_address_and_in_the_open_is_answered_too(client: Client, db: None, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["learning.example"]
    settings.SECURE_SSL_REDIRECT = True

    answer = client.get("/healthz", headers={"host": "10.1.2.3:8000"})

    assert answer.status_code == 200
    assert "X-Request-ID" in answer


def test_one_query_is_enough(client: Client, db: None, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        client.get("/healthz")


def test_asking_is_all_that_can_be_done(client: Client, db: None) -> None:
    assert client.head("/healthz").status_code == 200
    assert client.post("/healthz").status_code == 405
