"""Statement timeouts of web requests and of jobs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from pytest_django import Settings
from tests.conftest import Api

from core.accounts.models import User
from modules.notifications.kinds import Kind
from modules.notifications.services.preferences import build_unsubscribe_url

# Replaces a query by one that practically never ends.
SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1e10) SELECT MAX(i) FROM n",
    "postgresql": "SELECT pg_sleep(600)",
}
# Longer than the interval of SQLite's progress handler.
QUICK = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) SELECT MAX(i) FROM n",
    "postgresql": "SELECT pg_sleep(0.02)",
}
SESSIONS = 'FROM "learning_sessions_session"'
ADMIN = "/admin/learning_sessions/session/"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def limits(settings: Settings) -> Settings:
    settings.DATABASE_STATEMENT_TIMEOUT_SECONDS = 0.2
    settings.DATABASE_JOB_STATEMENT_TIMEOUT_SECONDS = 0
    return settings


@contextmanager
def slow_down(table: str) -> Iterator[None]:
    """Slow down all queries on a table."""

    def replace_query(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if table in sql:
            sql, params = SLOW[connection.vendor], ()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(replace_query):
        yield


def run(sql: dict[str, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql[connection.vendor])
        cursor.fetchall()


def test_a_timeout_in_the_api_is_a_503_and_the_next_request_succeeds(john: User, unlogged: None) -> None:
    api = Api(john)
    with slow_down(SESSIONS):
        answer = api.get("/api/sessions/")

    assert answer.status_code == 503
    assert answer.json() == {"error": "The service is not available right now. Try again later."}
    assert answer["Retry-After"] == "5"
    assert api.get("/api/sessions/").status_code == 200


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("table", [SESSIONS, 'FROM "core_user"', 'FROM "django_session"'])
def test_a_timeout_in_the_portal_is_a_plain_503_and_the_next_request_succeeds(
    root: User, unlogged: None, settings: Settings, *, table: str, debug: bool
) -> None:
    settings.DEBUG = debug
    client = Client(raise_request_exception=False)
    client.force_login(root)
    with slow_down(table):
        answer = client.get(ADMIN)

    assert answer.status_code == 503
    assert answer.content.decode() == "The service is not available right now. Try again later.\n"
    assert (answer["Content-Type"], answer["Retry-After"]) == ("text/plain; charset=utf-8", "5")
    assert client.get(ADMIN).status_code == 200


def test_a_timeout_on_the_unsubscribe_page_is_a_503(john: User, unlogged: None) -> None:
    url = build_unsubscribe_url(user_id=john.pk, kinds=[Kind.REMINDER])
    client = Client(raise_request_exception=False)
    with slow_down('FROM "core_user"'):
        answer = client.get(urlsplit(url)._replace(scheme="", netloc="").geturl())

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_a_timeout_rolls_back_the_transaction(john: User, unlogged: None) -> None:
    api = Api(john)
    with slow_down('INSERT INTO "core_factrecord"'):
        answer = api.post(
            "/api/sessions/",
            {
                "title": "Knots",
                "description": "Five of them",
                "subject": "Crafts",
                "level": "beginner",
                "date": "2099-01-01T10:00:00Z",
                "duration": 60,
                "max_participants": 5,
            },
        )

    assert answer.status_code == 503
    assert api.get("/api/sessions/").json()["count"] == 0


def test_the_timeout_of_web_requests_does_not_apply_to_jobs(limits: Settings, john: User) -> None:
    limits.DATABASE_STATEMENT_TIMEOUT_SECONDS = 0.001
    assert Client().get("/admin/login/").status_code in {200, 503}

    run(QUICK)


def test_jobs_have_their_own_timeout(limits: Settings, db: None) -> None:
    limits.DATABASE_STATEMENT_TIMEOUT_SECONDS = 0
    limits.DATABASE_JOB_STATEMENT_TIMEOUT_SECONDS = 0.1

    with pytest.raises(OperationalError):
        run(SLOW)
    run({"sqlite": "SELECT 1", "postgresql": "SELECT 1"})


def test_a_rollback_does_not_reset_the_timeout(limits: Settings, db: None) -> None:
    limits.DATABASE_JOB_STATEMENT_TIMEOUT_SECONDS = 0.1
    connection.close()
    with transaction.atomic():
        run({"sqlite": "SELECT 1", "postgresql": "SELECT 1"})
        transaction.set_rollback(True)

    with pytest.raises(OperationalError):
        run(SLOW)
