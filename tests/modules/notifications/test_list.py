"""The list of notifications over HTTP."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.conftest import Api

from core.time import clock
from modules.notifications.models import Notification
from modules.notifications.queries import lists
from modules.notifications.schemas import NotificationOut
from modules.sessions import events

LIST = "/api/notifications/"


def read_titles(response: Any) -> list[str]:
    return [row["title"].removeprefix("Session approved: ") for row in response.json()]


def read_next_page(response: Any) -> str:
    url, relation = response["Link"].split("; ")
    assert relation == 'rel="next"'
    return str(url.removeprefix("<").removesuffix(">"))


@pytest.fixture
def read_notification(john: Any, bob: Any, news: Any, time_machine: Any) -> Notification:
    """John's request was approved by Bob a day ago."""
    time_machine.move_to("2024-01-12T10:00:00.654321Z", tick=False)
    news.publish(
        events.BookingRequestApproved(
            session_id=2, title="JavaScript Fundamentals", creator_id=bob.pk, request_id=1, member_id=john.pk
        ),
        by=bob,
    )
    notification = Notification.objects.get()
    Api(john).post(f"{LIST}{notification.pk}/mark_as_read/")
    return notification


@pytest.fixture
def unread_notification(
    john: Any, bob: Any, news: Any, time_machine: Any, read_notification: Notification
) -> Notification:
    """Bob has requested to join John's session."""
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
    return Notification.objects.exclude(pk=read_notification.pk).get()


def test_the_list_is_the_documented_bare_array(
    john: Any, read_notification: Notification, unread_notification: Notification
) -> None:
    response = Api(john).get(LIST)

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert "Link" not in response
    assert response.json() == [
        {
            "id": unread_notification.pk,
            "user": john.pk,
            "title": "New booking request for Advanced Python Programming",
            "message": "Bob Wilson wants to join your session.",
            "type": "booking_request",
            "session": 1,
            "read": False,
            "created_at": "2024-01-13T11:00:00Z",
        },
        {
            "id": read_notification.pk,
            "user": john.pk,
            "title": "Booking request approved for JavaScript Fundamentals",
            "message": "Your request to join JavaScript Fundamentals has been approved.",
            "type": "session_update",
            "session": 2,
            "read": True,
            "created_at": "2024-01-12T10:00:00Z",
        },
    ]


def test_a_member_without_notifications_gets_an_empty_array(john: Any) -> None:
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


def test_members_see_only_their_own_notifications(
    john: Any, jane: Any, make_member: Any, news: Any, subtests: Any
) -> None:
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
def test_the_list_needs_authentication(method: str, path: str, john: Any, news: Any) -> None:
    news.approve_sessions(john)
    path = path.format(id=Notification.objects.get().pk)

    response = getattr(Api(), method)(f"{LIST}{path}")

    assert response.status_code == 401
    assert response.json() == {"error": "Log in: this needs a valid access token."}
    assert Notification.objects.get().read_at is None


def test_a_page_has_100_notifications_by_default(john: Any, news: Any) -> None:
    news.approve_sessions(john, times=101)

    response = Api(john).get(LIST)

    assert read_titles(response) == [f"Session {number}" for number in range(101, 1, -1)]
    assert read_titles(Api(john).get(read_next_page(response))) == ["Session 1"]


def test_a_full_page_without_more_has_no_link(john: Any, news: Any) -> None:
    news.approve_sessions(john, times=3)

    response = Api(john).get(LIST, {"limit": 3})

    assert read_titles(response) == ["Session 3", "Session 2", "Session 1"]
    assert "Link" not in response


def test_the_limit_is_at_most_500(john: Any, news: Any) -> None:
    news.approve_sessions(john, times=101)

    response = Api(john).get(LIST, {"limit": 500})

    assert len(response.json()) == 101
    assert "Link" not in response


def test_the_link_is_absolute_and_keeps_the_other_parameters(john: Any, news: Any) -> None:
    news.approve_sessions(john, times=5)

    response = Api(john).get(LIST, {"limit": 2, "unread": "true", "theme": 'a"b>\r\nX: y'})

    last = response.json()[-1]["id"]
    assert read_next_page(response) == (
        f"http://testserver/api/notifications/?limit=2&unread=true&theme=a%22b%3E%0D%0AX%3A+y&before={last}"
    )


def test_the_links_lead_through_all_notifications_once(john: Any, jane: Any, news: Any) -> None:
    for _ in range(3):
        news.approve_sessions(john, times=2)
        news.approve_sessions(jane, times=1)
    response = Api(john).get(LIST, {"limit": 2})
    met = [row["id"] for row in response.json()]
    while "Link" in response:
        response = Api(john).get(read_next_page(response))
        met += [row["id"] for row in response.json()]

    assert met == list(Notification.objects.filter(user=john).order_by("-pk").values_list("pk", flat=True))
    assert len(met) == 6


def test_new_notifications_do_not_shift_the_pages(john: Any, news: Any) -> None:
    news.approve_sessions(john, times=4)
    first = Api(john).get(LIST, {"limit": 2})
    news.approve_sessions(john, times=3)

    assert read_titles(Api(john).get(read_next_page(first))) == ["Session 2", "Session 1"]


def test_before_the_oldest_is_an_empty_page(john: Any, news: Any) -> None:
    news.approve_sessions(john, times=2)
    oldest = Notification.objects.earliest("pk")

    response = Api(john).get(LIST, {"before": oldest.pk})

    assert (response.status_code, response.json()) == (200, [])
    assert "Link" not in response


def test_unread_true_filters_and_false_does_not(john: Any, news: Any) -> None:
    news.approve_sessions(john, times=3)
    Api(john).post(f"{LIST}{Notification.objects.get(title='Session approved: Session 2').pk}/mark_as_read/")

    assert read_titles(Api(john).get(LIST, {"unread": "true"})) == ["Session 3", "Session 1"]
    assert read_titles(Api(john).get(LIST, {"unread": "false"})) == ["Session 3", "Session 2", "Session 1"]


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
def test_the_error_names_a_parameter_out_of_range(name: str, value: str, message: str, john: Any) -> None:
    response = Api(john).get(LIST, {name: value})

    assert response.status_code == 400
    assert response.json() == {"error": f"{name}: {message}", "fields": {name: [message]}}


@pytest.mark.parametrize("query", ["limit=", "before=", "unread=", "limit=&before=%20&unread=&type="])
def test_an_empty_parameter_is_ignored(query: str, john: Any, news: Any) -> None:
    news.approve_sessions(john, times=2)

    assert read_titles(Api(john).get(f"{LIST}?{query}")) == ["Session 2", "Session 1"]


def test_the_largest_id_is_a_valid_cursor(john: Any, news: Any) -> None:
    news.approve_sessions(john)

    assert read_titles(Api(john).get(LIST, {"before": 2**63 - 1})) == ["Session 1"]


def test_the_list_takes_a_constant_number_of_queries(john: Any, news: Any) -> None:
    client = Api(john)
    counts = []
    for times in (3, 60):
        news.approve_sessions(john, times=times)
        with CaptureQueriesContext(connection) as captured:
            client.get(LIST)
        counts.append(len(captured))

    # Who is asking, and what they were told.
    assert counts == [2, 2]
