"""The admin shows what members were told, to those who may see it, and changes nothing."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from tests.portal import grant, log_in

from modules.notifications.models import Notification

LIST = "/admin/notifications/notification/"


@pytest.fixture
def auditor(make_member: Any) -> Any:
    return grant(make_member("auditor", is_staff=True), "view_notification")


def test_the_urls_of_the_lists_are_stable() -> None:
    assert reverse("admin:notifications_notification_changelist") == LIST


@pytest.mark.parametrize("who", ["root", "auditor"])
def test_members_with_permission_see_the_lists(who: str, request: Any, john: Any, news: Any) -> None:
    viewer = log_in(request.getfixturevalue(who))
    news.approve_sessions(john)

    page = viewer.get(LIST)
    detail = viewer.get(f"{LIST}{Notification.objects.get().pk}/change/")

    assert (page.status_code, detail.status_code) == (200, 200)
    assert "Session approved: Session 1" in page.content.decode()
    assert "Your session Session 1 has been approved." in detail.content.decode()


@pytest.mark.parametrize("values", [{}, {"is_staff": True}], ids=["member", "staff"])
def test_viewing_needs_permission(values: Any, make_member: Any, john: Any, news: Any) -> None:
    viewer = log_in(make_member(**values))
    news.approve_sessions(john)

    for path in (LIST, f"{LIST}{Notification.objects.get().pk}/change/"):
        response = viewer.get(path)
        assert response.status_code in {302, 403}
        assert "Session 1" not in response.content.decode()


def test_the_admin_is_read_only_for_superusers_too(root: Any, john: Any, news: Any) -> None:
    viewer = log_in(root)
    news.approve_sessions(john)
    notification = Notification.objects.get()
    own = f"{LIST}{notification.pk}/"

    answers = [
        viewer.get(f"{LIST}add/"),
        viewer.post(f"{LIST}add/", {"title": "Forged"}),
        viewer.post(f"{own}change/", {"title": "Forged"}),
        viewer.post(f"{own}delete/", {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403, 403]
    viewer.post(LIST, {"action": "delete_selected", "_selected_action": notification.pk, "post": "yes"})
    assert Notification.objects.get().title == "Session approved: Session 1"


def test_a_member_is_found_by_name_and_address(root: Any, john: Any, jane: Any, news: Any) -> None:
    viewer = log_in(root)
    news.approve_sessions(john)
    news.approve_sessions(jane, times=2)

    for words, count in [("john_doe", 1), ("smith", 2), ("jane@example.com", 2), ("nobody", 0)]:
        assert viewer.get(LIST, {"q": words}).context["cl"].result_count == count


def test_the_list_is_filtered_by_type_and_by_read(root: Any, john: Any, news: Any) -> None:
    viewer = log_in(root)
    news.approve_sessions(john, times=3)
    first = Notification.objects.earliest("pk")
    Notification.objects.filter(pk=first.pk).update(read_at=first.created_at, type="reminder")

    for query, count in [
        ({"read": "yes"}, 1),
        ({"read": "no"}, 2),
        ({"read": "perhaps"}, 3),
        ({"type__exact": "reminder"}, 1),
        ({"type__exact": "session_update", "read": "yes"}, 0),
    ]:
        assert viewer.get(LIST, query).context["cl"].result_count == count


def test_the_list_needs_a_constant_number_of_queries(root: Any, make_member: Any, news: Any) -> None:
    viewer = log_in(root)
    counts = []
    for size in (2, 20):
        for _ in range(size):
            news.approve_sessions(make_member())
        with CaptureQueriesContext(connection) as captured:
            viewer.get(LIST)
        counts.append(len(captured))

    assert counts[0] == counts[1]
