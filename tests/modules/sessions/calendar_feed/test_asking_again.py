"""Conditional requests for a feed, and when it was last used."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import DatabaseError, connection
from django.db.models.query import QuerySet
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.conftest import Api
from tests.modules.sessions.calendar_feed.conftest import FEED, LINK, made, read
from tests.modules.sessions.conftest import NOW, path, z

from modules.sessions.models import Session


def test_an_unchanged_feed_is_a_304(john: Any, make_session: Any, clock: Any) -> None:
    make_session("approved")
    url = made(john)
    tag = read(url)["ETag"]
    clock.shift(timedelta(minutes=30))

    for condition in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        response = read(url, if_none_match=condition)
        assert (response.status_code, response.content) == (304, b"")
        assert (response["ETag"], response["Cache-Control"]) == (tag, "private, no-cache")
    assert read(url, if_none_match='"other"').status_code == 200


CHANGES: dict[str, Callable[[Any, Session], object]] = {
    "a new title": lambda john, session: Api(john).put(path(session), {"title": "New"}),
    "a new time": lambda john, session: Api(john).put(path(session), {"date": "2024-02-01T12:00:00Z"}),
    "a cancellation": lambda john, session: Api(john).post(path(session, "cancel/")),
    "a deletion": lambda john, session: Api(john).delete(path(session)),
    "another session": lambda john, session: Session.objects.create(
        title="Another",
        description="x",
        subject="x",
        level="beginner",
        date=NOW + timedelta(days=9),
        duration=30,
        max_participants=2,
        creator=john,
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_feed_is_sent_again(john: Any, make_session: Any, change: str) -> None:
    session = make_session("approved")
    url = made(john)
    before = read(url)

    CHANGES[change](john, session)

    after = read(url, if_none_match=before["ETag"])
    assert after.status_code == 200
    assert after["ETag"] != before["ETag"]
    assert after.content != before.content


def test_a_new_name_of_the_organizer_changes_the_feed(john: Any, jane: Any, make_session: Any) -> None:
    make_session("scheduled", participants=[jane])
    url = made(jane)
    tag = read(url)["ETag"]

    Api(john).patch("/api/auth/me/", {"first_name": "Johnny"})

    response = read(url, if_none_match=tag)
    assert response.status_code == 200
    assert b"Johnny Doe" in response.content


def test_head_returns_the_headers_only(john: Any, make_session: Any) -> None:
    make_session("approved")
    url = urlsplit(made(john))
    read_whole = Client().get(f"{url.path}?{url.query}")

    response = Client().head(f"{url.path}?{url.query}")

    assert (response.status_code, response.content) == (200, b"")
    for header in ("Content-Type", "ETag", "Cache-Control", "Content-Length"):
        assert response[header] == read_whole[header]
    assert Client().head(FEED).status_code == 404


def test_the_number_of_queries_is_constant(john: Any, jane: Any, bob: Any, make_session: Any, clock: Any) -> None:
    url = made(john)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert read(url).status_code == 200
        return len([query for query in captured.captured_queries if query["sql"].startswith("SELECT")])

    make_session("approved")
    make_session("scheduled", creator=jane, participants=[john])
    for_two = queries()
    for number in range(6):
        make_session("approved", title=f"Own {number}")
        make_session("scheduled", creator=(jane, bob)[number % 2], participants=[john])

    assert queries() == for_two == 4


def last_used(member: Any) -> str | None:
    found: str | None = Api(member).get(LINK).json()["last_used_at"]
    return found


def test_the_last_use_is_recorded_at_most_once_an_hour(john: Any, jane: Any, clock: Any) -> None:
    url = made(john)
    made(jane)
    assert last_used(john) is None

    read(url)
    assert last_used(john) == z(NOW)
    for _ in range(3):
        clock.shift(timedelta(minutes=19))
        with CaptureQueriesContext(connection) as captured:
            assert read(url).status_code == 200
        assert [query["sql"] for query in captured.captured_queries if not query["sql"].startswith("SELECT")] == []
    assert last_used(john) == z(NOW)

    clock.shift(timedelta(minutes=3))
    read(url)
    assert last_used(john) == z(NOW + timedelta(hours=1))
    assert last_used(jane) is None


def test_a_304_is_recorded_as_a_use(john: Any, clock: Any) -> None:
    url = made(john)
    tag = read(url)["ETag"]
    clock.shift(timedelta(hours=2))

    assert read(url, if_none_match=tag).status_code == 304

    assert last_used(john) == z(NOW + timedelta(hours=2))


def test_a_failure_to_record_the_use_does_not_fail_the_request(
    john: Any, make_session: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_session("approved", title="Knots")
    url = made(john)

    def fail(*_: object, **__: object) -> None:
        raise DatabaseError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(QuerySet, "update", fail)
        response = read(url)

    assert response.status_code == 200
    assert b"SUMMARY:Knots" in response.content
    assert last_used(john) is None
    assert [record.levelname for record in caplog.records if "Could not record the use" in record.getMessage()] == [
        "WARNING"
    ]
