"""Marking notifications as read, and what the API does not offer."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.conftest import Api

from core.api import api
from modules.notifications.models import Notification

LIST = "/api/notifications/"


def test_marking_returns_the_notification(john: Any, news: Any) -> None:
    news.approve_sessions(john, times=2)
    notification = Notification.objects.earliest("pk")

    response = Api(john).post(f"{LIST}{notification.pk}/mark_as_read/")

    assert response.status_code == 200
    assert response.json() == {
        "id": notification.pk,
        "user": john.pk,
        "title": "Session approved: Session 1",
        "message": "Your session Session 1 has been approved.",
        "type": "session_update",
        "session": 1,
        "read": True,
        "created_at": "2024-01-13T11:00:00Z",
    }
    assert [row["read"] for row in Api(john).get(LIST).json()] == [False, True]


def test_marking_is_idempotent_and_keeps_the_first_time(john: Any, news: Any, time_machine: Any) -> None:
    news.approve_sessions(john)
    path = f"{LIST}{Notification.objects.get().pk}/mark_as_read/"
    first = Api(john).post(path)
    read_at = Notification.objects.get().read_at
    time_machine.shift(60)

    second = Api(john).post(path)

    assert second.status_code == 200
    assert second.json() == first.json()
    assert Notification.objects.get().read_at == read_at


@pytest.mark.parametrize(
    "values", [{}, {"is_staff": True}, {"is_staff": True, "is_superuser": True}], ids=["member", "staff", "superuser"]
)
def test_marking_somebody_elses_notification_is_a_404(values: Any, john: Any, make_member: Any, news: Any) -> None:
    news.approve_sessions(john)
    other = Api(make_member(**values))
    notification = Notification.objects.get()

    theirs = other.post(f"{LIST}{notification.pk}/mark_as_read/")
    nobodys = other.post(f"{LIST}{notification.pk + 1000}/mark_as_read/")

    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json() == nobodys.json() == {"error": "There is no such notification."}
    assert Notification.objects.get().read_at is None


@pytest.mark.parametrize(
    "identifier", ["0", str(2**63), "1" + "0" * 30, "9" * 5000, "-1", "one", "%00", "1.0", "٣", "mark_as_read"]
)
def test_an_id_out_of_range_is_a_404(identifier: str, john: Any) -> None:
    response = Api(john).post(f"{LIST}{identifier}/mark_as_read/")

    assert response.status_code == 404
    assert list(response.json()) == ["error"]


@pytest.mark.parametrize("body", [None, {}, {"read": False}, [1], "text"])
def test_marking_needs_no_body_and_reads_none(body: Any, john: Any, news: Any) -> None:
    news.approve_sessions(john)

    response = Api(john).post(f"{LIST}{Notification.objects.get().pk}/mark_as_read/", body)

    assert (response.status_code, response.json()["read"]) == (200, True)


def test_marking_all_returns_how_many_were_unread(john: Any, jane: Any, news: Any) -> None:
    news.approve_sessions(john, times=3)
    news.approve_sessions(jane, times=2)
    Api(john).post(f"{LIST}{Notification.objects.filter(user=john).earliest('pk').pk}/mark_as_read/")

    response = Api(john).post(f"{LIST}mark_all_as_read/")

    assert (response.status_code, response.json()) == (200, {"updated": 2})
    assert [row["read"] for row in Api(john).get(LIST).json()] == [True, True, True]
    assert [row["read"] for row in Api(jane).get(LIST).json()] == [False, False]


def test_marking_all_twice_changes_nothing(john: Any, news: Any, time_machine: Any) -> None:
    news.approve_sessions(john, times=2)
    Api(john).post(f"{LIST}mark_all_as_read/")
    before = list(Notification.objects.values_list("read_at", flat=True))
    time_machine.shift(60)

    response = Api(john).post(f"{LIST}mark_all_as_read/")

    assert (response.status_code, response.json()) == (200, {"updated": 0})
    assert list(Notification.objects.values_list("read_at", flat=True)) == before


def test_marking_all_takes_a_constant_number_of_queries(john: Any, news: Any) -> None:
    client = Api(john)
    counts = []
    for times in (2, 40):
        news.approve_sessions(john, times=times)
        with CaptureQueriesContext(connection) as captured:
            assert client.post(f"{LIST}mark_all_as_read/").json() == {"updated": times}
        counts.append(len(captured))

    # The login, a savepoint, the rows in their order, the update, and the savepoint's end.
    assert counts == [5, 5]


def test_the_unread_are_counted(john: Any, jane: Any, news: Any) -> None:
    news.approve_sessions(john, times=3)
    news.approve_sessions(jane)
    Api(john).post(f"{LIST}{Notification.objects.filter(user=john).latest('pk').pk}/mark_as_read/")

    response = Api(john).get(f"{LIST}unread_count/")

    assert (response.status_code, response.json()) == (200, {"count": 2})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", ""),
        ("put", ""),
        ("delete", ""),
        ("post", "unread_count/"),
        ("get", "mark_all_as_read/"),
        ("get", "1/mark_as_read/"),
        ("delete", "1/mark_as_read/"),
    ],
)
def test_another_method_is_refused(method: str, path: str, john: Any, news: Any) -> None:
    news.approve_sessions(john)

    response = getattr(Api(john), method)(f"{LIST}{path}")

    assert response.status_code == 405
    assert response.json() == {"error": "This path does not take that method."}
    assert Notification.objects.get().read_at is None


@pytest.mark.parametrize("path", ["1/", "1/mark_as_unread/", "unread/"])
def test_other_paths_are_a_404(path: str, john: Any) -> None:
    response = Api(john).get(f"{LIST}{path}")

    assert (response.status_code, response.json()) == (404, {"error": "There is nothing at this path."})


def test_the_document_describes_every_operation() -> None:
    paths = api.get_openapi_schema()["paths"]
    operations = {
        operation["operationId"]: operation
        for path, methods in paths.items()
        if path.startswith(LIST)
        for operation in methods.values()
    }

    assert {name: sorted(operation["responses"]) for name, operation in operations.items()} == {
        "list_notifications": [200, 400, 401, 500, 503],
        "count_unread_notifications": [200, 401, 500, 503],
        "mark_all_notifications_as_read": [200, 401, 500, 503],
        "mark_notification_as_read": [200, 401, 404, 500, 503],
        "why_notification": [200, 401, 404, 500, 503],
        "get_notification_preferences": [200, 401, 500, 503],
        "change_notification_preferences": [200, 400, 401, 413, 415, 500, 503],
    }
    assert all(operation["summary"] and operation["description"] for operation in operations.values())
    listing = operations["list_notifications"]
    assert {each["name"]: each["example"] for each in listing["parameters"]} == {
        "limit": 100,
        "before": 42,
        "unread": True,
    }
    assert "Link" in listing["responses"][200]["headers"]
