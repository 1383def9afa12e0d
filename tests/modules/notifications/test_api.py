"""Reading one's notifications and marking them as read, over HTTP."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.conftest import Api

from core.api import api
from core.time import clock
from modules.notifications.models import Notification
from modules.notifications.queries import lists
from modules.notifications.schemas import NotificationOut
from modules.sessions import events

LIST = "/api/notifications/"


def titles(response: Any) -> list[str]:
    return [row["title"].removeprefix("Session approved: ") for row in response.json()]


def next_page(response: Any) -> str:
    address, relation = response["Link"].split("; ")
    assert relation == 'rel="next"'
    return str(address.removeprefix("<").removesuffix(">"))


# --- The list ---------------------------------------------------------------------------------------------------


def test_the_list_is_the_documented_bare_array(john: Any, bob: Any, news: Any, time_machine: Any) -> None:
    time_machine.move_to("2024-01-12T10:00:00.654321Z", tick=False)
    news.publish(
        events.BookingRequestApproved(
            session_id=2, title="JavaScript Fundamentals", creator_id=bob.pk, request_id=1, member_id=john.pk
        ),
        by=bob,
    )
    older = Notification.objects.get()
    Api(john).post(f"{LIST}{older.pk}/mark_as_read/")
    time_machine.move_to("2024-01-13T11:00:00.654321Z", tick=False)
    news.publish(
        events.BookingRequested(
            session_id=1,
            title="Advanced Python Programming",
            creator_id=john.pk,
            request_id=1,
            member_id=bob.pk,
            requested_at=clock.now(),
        ),
        by=bob,
    )
    newer = Notification.objects.exclude(pk=older.pk).get()

    response = Api(john).get(LIST)

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert "Link" not in response
    assert response.json() == [
        {
            "id": newer.pk,
            "user": john.pk,
            "title": "New booking request for Advanced Python Programming",
            "message": "Bob Wilson wants to join your session.",
            "type": "booking_request",
            "session": 1,
            "read": False,
            "created_at": "2024-01-13T11:00:00Z",
        },
        {
            "id": older.pk,
            "user": john.pk,
            "title": "Booking request approved for JavaScript Fundamentals",
            "message": "Your request to join JavaScript Fundamentals has been approved.",
            "type": "session_update",
            "session": 2,
            "read": True,
            "created_at": "2024-01-12T10:00:00Z",
        },
    ]


def test_who_was_told_nothing_gets_an_empty_array(john: Any) -> None:
    response = Api(john).get(LIST)

    assert (response.status_code, response.json()) == (200, [])


def test_rows_have_the_declared_shape(john: Any, news: Any) -> None:
    news.approve_sessions(john, times=2)
    news.publish(events.SessionDeleted(session_id=1, title="Session 1", creator_id=john.pk, requester_ids=()))
    Api(john).post(f"{LIST}{Notification.objects.earliest('pk').pk}/mark_as_read/")

    rows = Api(john).get(LIST).json()

    assert len(rows) == 3
    for row in rows:
        assert list(row) == list(NotificationOut.model_fields)
        assert NotificationOut.model_validate(row).model_dump(mode="json") == row


def test_a_single_notification_has_the_shape_of_a_row(john: Any, news: Any) -> None:
    news.approve_sessions(john)

    [row] = lists.list_notifications(user=john, limit=1)
    presented = lists.present_notification(Notification.objects.get())
    assert presented == row
    assert list(presented) == list(row)


def test_everyone_reads_only_their_own(john: Any, jane: Any, make_member: Any, news: Any, subtests: Any) -> None:
    news.approve_sessions(john, times=2)
    others = [jane, make_member(is_staff=True), make_member(is_staff=True, is_superuser=True)]

    for other in others:
        with subtests.test(other.username):
            assert Api(other).get(LIST).json() == []
            assert Api(other).get(f"{LIST}unread_count/").json() == {"count": 0}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ""),
        ("get", "unread_count/"),
        ("post", "mark_all_as_read/"),
        ("post", "{id}/mark_as_read/"),
    ],
)
def test_strangers_are_asked_to_log_in(method: str, path: str, john: Any, news: Any) -> None:
    news.approve_sessions(john)
    path = path.format(id=Notification.objects.get().pk)

    response = getattr(Api(), method)(f"{LIST}{path}")

    assert response.status_code == 401
    assert response.json() == {"error": "Log in: this needs a valid access token."}
    assert Notification.objects.get().read_at is None


def test_the_list_stops_at_a_hundred(john: Any, news: Any) -> None:
    news.approve_sessions(john, times=101)

    response = Api(john).get(LIST)

    assert titles(response) == [f"Session {number}" for number in range(101, 1, -1)]
    assert titles(Api(john).get(next_page(response))) == ["Session 1"]


def test_a_full_page_without_more_has_no_link(john: Any, news: Any) -> None:
    news.approve_sessions(john, times=3)

    response = Api(john).get(LIST, {"limit": 3})

    assert titles(response) == ["Session 3", "Session 2", "Session 1"]
    assert "Link" not in response


def test_the_limit_goes_up_to_five_hundred(john: Any, news: Any) -> None:
    news.approve_sessions(john, times=101)

    response = Api(john).get(LIST, {"limit": 500})

    assert len(response.json()) == 101
    assert "Link" not in response


def test_the_link_is_absolute_and_keeps_the_other_parameters(john: Any, news: Any) -> None:
    news.approve_sessions(john, times=5)

    response = Api(john).get(LIST, {"limit": 2, "unread": "true", "theme": 'a"b>\r\nX: y'})

    last = response.json()[-1]["id"]
    assert next_page(response) == (
        f"http://testserver/api/notifications/?limit=2&unread=true&theme=a%22b%3E%0D%0AX%3A+y&before={last}"
    )


def test_following_the_links_meets_every_notification_once(john: Any, jane: Any, news: Any) -> None:
    for _ in range(3):
        news.approve_sessions(john, times=2)
        news.approve_sessions(jane, times=1)
    response = Api(john).get(LIST, {"limit": 2})
    met = [row["id"] for row in response.json()]
    while "Link" in response:
        response = Api(john).get(next_page(response))
        met += [row["id"] for row in response.json()]

    assert met == list(Notification.objects.filter(user=john).order_by("-pk").values_list("pk", flat=True))
    assert len(met) == 6


def test_what_arrives_meanwhile_does_not_shift_the_pages(john: Any, news: Any) -> None:
    news.approve_sessions(john, times=4)
    first = Api(john).get(LIST, {"limit": 2})
    news.approve_sessions(john, times=3)

    assert titles(Api(john).get(next_page(first))) == ["Session 2", "Session 1"]


def test_before_the_oldest_there_is_nothing(john: Any, news: Any) -> None:
    news.approve_sessions(john, times=2)
    oldest = Notification.objects.earliest("pk")

    response = Api(john).get(LIST, {"before": oldest.pk})

    assert (response.status_code, response.json()) == (200, [])
    assert "Link" not in response


def test_unread_filters_and_its_contrary_does_not(john: Any, news: Any) -> None:
    news.approve_sessions(john, times=3)
    Api(john).post(f"{LIST}{Notification.objects.get(title='Session approved: Session 2').pk}/mark_as_read/")

    assert titles(Api(john).get(LIST, {"unread": "true"})) == ["Session 3", "Session 1"]
    assert titles(Api(john).get(LIST, {"unread": "false"})) == ["Session 3", "Session 2", "Session 1"]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("limit", "0", "Must be at least 1."),
        ("limit", "-1", "Must be at least 1."),
        ("limit", "501", "Must be at most 500."),
        ("limit", "many", "Must be a whole number."),
        ("limit", "1.5", "Must be a whole number."),
        ("limit", "9" * 50, "Must be at most 500."),
        ("limit", "9" * 5000, "Must be a whole number of reasonable size."),
        ("limit", "1\x00", "May not contain NUL characters or broken Unicode."),
        ("before", "0", "Must be at least 1."),
        ("before", "-5", "Must be at least 1."),
        ("before", "yesterday", "Must be a whole number."),
        ("before", str(2**63), f"Must be at most {2**63 - 1}."),
        ("unread", "perhaps", "Must be true or false."),
        ("unread", "2", "Must be true or false."),
    ],
)
def test_a_parameter_out_of_range_is_named(name: str, value: str, message: str, john: Any) -> None:
    response = Api(john).get(LIST, {name: value})

    assert response.status_code == 400
    assert response.json() == {"error": f"{name}: {message}", "fields": {name: [message]}}


@pytest.mark.parametrize("query", ["limit=", "before=", "unread=", "limit=&before=%20&unread=&type="])
def test_an_empty_parameter_is_none(query: str, john: Any, news: Any) -> None:
    news.approve_sessions(john, times=2)

    assert titles(Api(john).get(f"{LIST}?{query}")) == ["Session 2", "Session 1"]


def test_the_largest_id_that_a_database_holds_is_a_place_to_begin(john: Any, news: Any) -> None:
    news.approve_sessions(john)

    assert titles(Api(john).get(LIST, {"before": 2**63 - 1})) == ["Session 1"]


def test_the_list_takes_as_many_queries_whatever_its_length(john: Any, news: Any) -> None:
    client = Api(john)
    counts = []
    for times in (3, 60):
        news.approve_sessions(john, times=times)
        with CaptureQueriesContext(connection) as captured:
            client.get(LIST)
        counts.append(len(captured))

    # Who is asking, and what they were told.
    assert counts == [2, 2]


# --- Marking ----------------------------------------------------------------------------------------------------


def test_marking_answers_the_notification(john: Any, news: Any) -> None:
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


def test_marking_twice_is_fine_and_the_first_time_counts(john: Any, news: Any, time_machine: Any) -> None:
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
def test_marking_somebody_elses_is_as_if_it_were_not_there(values: Any, john: Any, make_member: Any, news: Any) -> None:
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
def test_an_id_that_cannot_be_is_a_404(identifier: str, john: Any) -> None:
    response = Api(john).post(f"{LIST}{identifier}/mark_as_read/")

    assert response.status_code == 404
    assert list(response.json()) == ["error"]


@pytest.mark.parametrize("body", [None, {}, {"read": False}, [1], "text"])
def test_marking_needs_no_body_and_reads_none(body: Any, john: Any, news: Any) -> None:
    news.approve_sessions(john)

    response = Api(john).post(f"{LIST}{Notification.objects.get().pk}/mark_as_read/", body)

    assert (response.status_code, response.json()["read"]) == (200, True)


def test_marking_all_answers_how_many_were_unread(john: Any, jane: Any, news: Any) -> None:
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


def test_marking_all_takes_as_many_queries_whatever_there_is(john: Any, news: Any) -> None:
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


# --- What it is not ---------------------------------------------------------------------------------------------


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
def test_other_paths_are_not_there(path: str, john: Any) -> None:
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
