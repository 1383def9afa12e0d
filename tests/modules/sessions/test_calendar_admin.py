"""The admin lists calendar feeds without their keys."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.portal import log_in

from modules.sessions.models import CalendarFeed

LIST = "/admin/learning_sessions/calendarfeed/"


def test_the_list_shows_feeds_without_their_keys(root: Any, john: Any) -> None:
    url = Api(john).post("/api/sessions/calendar/").json()["url"]
    feed = CalendarFeed.objects.get()
    client = log_in(root)

    for path in (LIST, f"{LIST}{feed.pk}/change/"):
        response = client.get(path)
        assert response.status_code == 200
        assert "john_doe" in response.content.decode()
        assert feed.key not in response.content.decode()
        assert url not in response.content.decode()


def test_the_admin_is_read_only(root: Any, john: Any) -> None:
    Api(john).post("/api/sessions/calendar/")
    before = CalendarFeed.objects.values().get()
    client = log_in(root)

    for path in (f"{LIST}add/", f"{LIST}{before['id']}/change/", f"{LIST}{before['id']}/delete/"):
        assert client.post(path, {"user": root.pk, "key": "x", "post": "yes"}).status_code == 403

    assert CalendarFeed.objects.values().get() == before


@pytest.mark.parametrize("lookup", ["key", "key__startswith", "key__gte", "user__calendar_feed__key__startswith"])
def test_the_key_cannot_be_filtered(root: Any, john: Any, unlogged: None, lookup: str) -> None:
    Api(john).post("/api/sessions/calendar/")
    key = CalendarFeed.objects.get().key
    client = log_in(root)

    for asked in (key, "!"):
        assert client.get(LIST, {lookup: asked}).status_code == 400
        assert client.post(f"{LIST}export/csv/?{lookup}={asked}").status_code == 400
