"""A query that takes too long is ended by the database: for the web after one time, for jobs after another."""

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

# What a query is answered by in its place: one that takes longer than anybody waits.
SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1e10) SELECT MAX(i) FROM n",
    "postgresql": "SELECT pg_sleep(600)",
}
# More than SQLite does between two looks at the clock.
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
def slow(table: str) -> Iterator[None]:
    """Whatever reads this table takes long."""

    def answer(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if table in sql:
            sql, params = SLOW[connection.vendor], ()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(answer):
        yield


def run(sql: dict[str, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql[connection.vendor])
        cursor.fetchall()


def test_the_api_answers_503_in_its_shape_and_goes_on(john: User, unlogged: None) -> None:
    api = Api(john)
    with slow(SESSIONS):
        answer = api.get("/api/sessions/")

    assert answer.status_code == 503
    assert answer.json() == {"error": "The service is not available right now. Try again later."}
    assert answer["Retry-After"] == "5"
    assert api.get("/api/sessions/").status_code == 200


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("table", [SESSIONS, 'FROM "core_user"', 'FROM "django_session"'])
def test_the_portal_answers_503_with_a_plain_page_and_goes_on(
    root: User, unlogged: None, settings: Settings, *, table: str, debug: bool
) -> None:
    settings.DEBUG = debug
    client = Client(raise_request_exception=False)
    client.force_login(root)
    with slow(table):
        answer = client.get(ADMIN)

    assert answer.status_code == 503
    assert answer.content.decode() == "The service is not available right now. Try again later.\n"
    assert (answer["Content-Type"], answer["Retry-After"]) == ("text/plain; charset=utf-8", "5")
    assert client.get(ADMIN).status_code == 200


def test_so_do_the_pages_for_people_without_the_app(john: User, unlogged: None) -> None:
    url = build_unsubscribe_url(user_id=john.pk, kinds=[Kind.REMINDER])
    client = Client(raise_request_exception=False)
    with slow('FROM "core_user"'):
        answer = client.get(urlsplit(url)._replace(scheme="", netloc="").geturl())

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_what_was_begun_in_a_transaction_is_undone(john: User, unlogged: None) -> None:
    api = Api(john)
    with slow('INSERT INTO "core_factrecord"'):
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


def test_a_job_is_not_held_to_the_limit_of_the_web(limits: Settings, john: User) -> None:
    limits.DATABASE_STATEMENT_TIMEOUT_SECONDS = 0.001
    assert Client().get("/admin/login/").status_code in {200, 503}

    run(QUICK)


def test_a_job_has_a_limit_of_its_own(limits: Settings, db: None) -> None:
    limits.DATABASE_STATEMENT_TIMEOUT_SECONDS = 0
    limits.DATABASE_JOB_STATEMENT_TIMEOUT_SECONDS = 0.1

    with pytest.raises(OperationalError):
        run(SLOW)
    run({"sqlite": "SELECT 1", "postgresql": "SELECT 1"})


def test_a_limit_outlasts_a_transaction_that_is_rolled_back(limits: Settings, db: None) -> None:
    limits.DATABASE_JOB_STATEMENT_TIMEOUT_SECONDS = 0.1
    connection.close()
    with transaction.atomic():
        run({"sqlite": "SELECT 1", "postgresql": "SELECT 1"})
        transaction.set_rollback(True)

    with pytest.raises(OperationalError):
        run(SLOW)
