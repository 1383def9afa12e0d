"""The badge in the sidebar: the number of sessions that wait for approval."""

from datetime import timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.modules.sessions.conftest import NOW, MakeSession
from tests.modules.sessions.portal import LIST, decide, page


def badge_of(client: Client, path: str = "/admin/") -> str:
    """The badge beside the entry of the list."""
    items = [item for section in client.get(path).context["sidebar_navigation"] for item in section["items"]]
    (queue,) = (item for item in items if item["title"] == "Queue")
    return str(queue.get("badge_callback", ""))


def test_the_badge_counts_sessions_that_can_be_decided(moderator: Client, make_session: MakeSession) -> None:
    make_session("pending_approval")
    make_session("pending_approval", date=NOW + timedelta.resolution)
    make_session("pending_approval", date=NOW)
    make_session("approved")

    badge = badge_of(moderator)

    assert '<span aria-hidden="true">2</span>' in badge
    assert ">2 sessions wait<" in badge


def test_there_is_no_badge_if_nothing_waits(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    assert ">1 session waits<" in badge_of(moderator)

    decide(moderator, "approve", session)

    assert badge_of(moderator) == ""


def test_the_badge_counts_up_to_100(moderator: Client, make_session: MakeSession) -> None:
    for _ in range(102):
        make_session("pending_approval")

    badge = badge_of(moderator)

    assert '<span aria-hidden="true">99+</span>' in badge
    assert ">more than 99 sessions wait<" in badge


def test_the_badge_takes_one_limited_query(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")

    for path in ("/admin/", LIST, page(session), "/admin/password_change/"):
        with CaptureQueriesContext(connection) as captured:
            assert ">1 session waits<" in badge_of(moderator, path)
        assert sum("LIMIT 100) subquery" in query["sql"] for query in captured.captured_queries) == 1, path
