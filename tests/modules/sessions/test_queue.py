"""The portal's list of sessions: its tabs, filters, columns and export."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.modules.sessions.conftest import NOW, MakeSession, join, nothing_changes
from tests.modules.sessions.portal import LIST, decide, messages_of, open_decision, page
from tests.portal import log_in

from core.accounts.models import User
from modules.sessions.models import Session
from modules.sessions.policy import build_viewer
from modules.sessions.queries.tabs import find_next_waiting


def titles(client: Client, **query: str) -> list[str]:
    response = client.get(LIST, query)
    assert response.status_code == 200
    return [session.title for session in response.context["cl"].result_list]


def row(client: Client, title: str, **query: str) -> dict[str, str]:
    """The texts of the row with this title, by the heading of the column."""
    response = client.get(LIST, query)
    change_list = response.context["cl"]
    index = [session.title for session in change_list.result_list].index(title)
    html = response.content.decode()
    body = re.search(r'id="result_list".*?</table>', html, re.DOTALL)
    assert body is not None
    rows = re.findall(r"<tr[^>]*>(?:(?!</tr>).)*?data-label=.*?</tr>", body[0], re.DOTALL)
    cells = re.findall(r'data-label="([^"]*)"[^>]*>(.*?)</t[dh]>', rows[index], re.DOTALL)
    return {unescape(label): " ".join(re.sub(r"<[^>]*>", " ", cell).split()) for label, cell in cells}


# --- Tabs -------------------------------------------------------------------------------------------------------


@pytest.fixture
def sessions(make_session: MakeSession) -> None:
    def at(hours: int) -> Any:
        return NOW + timedelta(hours=hours)

    make_session("pending_approval", title="Waits, late", date=at(100))
    make_session("pending_approval", title="Waits, tomorrow", date=at(24))
    make_session("pending_approval", title="Waits, soon", date=at(3))
    make_session("pending_approval", title="Waits for the worker", date=at(-1))
    make_session("approved", title="Open, soon", date=at(2))
    make_session("approved", title="Edited, first", second_look_since=NOW - timedelta(hours=5), date=at(50))
    make_session("scheduled", title="Edited, last", second_look_since=NOW - timedelta(hours=1), date=at(30))
    make_session("cancelled", title="Cancelled", date=at(10), second_look_since=NOW - timedelta(hours=9))
    make_session("completed", title="Held", date=at(-20))


@pytest.mark.parametrize(
    ("tab", "shown"),
    [
        ({}, ["Waits, soon", "Waits, tomorrow", "Waits, late"]),
        ({"tab": "waiting"}, ["Waits, soon", "Waits, tomorrow", "Waits, late"]),
        ({"tab": "soon"}, ["Waits, soon", "Waits, tomorrow"]),
        ({"tab": "edited"}, ["Edited, first", "Edited, last"]),
        ({"tab": "cancelled"}, ["Cancelled"]),
        ({"tab": "nonsense"}, ["Waits, soon", "Waits, tomorrow", "Waits, late"]),
    ],
)
def test_each_tab_shows_its_rows_in_its_order(
    tab: dict[str, str], shown: list[str], sessions: None, moderator: Client
) -> None:
    assert titles(moderator, **tab) == shown


def test_all_shows_all_the_latest_start_first(sessions: None, moderator: Client) -> None:
    shown = titles(moderator, tab="all")
    assert len(shown) == 9
    assert (shown[0], shown[-1]) == ("Waits, late", "Held")


def test_the_selected_tab_is_marked(sessions: None, moderator: Client) -> None:
    html = moderator.get(LIST, {"tab": "edited", "q": "Edited"}).content.decode()
    marked = re.findall(r'<a href="([^"]*)" class="portal-tab" aria-current="page">([^<]*)</a>', html)
    assert marked == [("?q=Edited&amp;tab=edited", "Edited since approval")]


def test_tabs_keep_the_search(sessions: None, moderator: Client) -> None:
    assert titles(moderator, q="soon", tab="waiting") == ["Waits, soon"]
    assert titles(moderator, q="soon", tab="all") == ["Waits, soon", "Open, soon"]


@pytest.mark.parametrize("words", ["doe", "john_doe", "programming", "PYTHON", "John Doe"])
def test_sessions_are_searched_by_title_subject_and_creator(
    words: str, moderator: Client, make_session: MakeSession
) -> None:
    make_session("pending_approval")
    make_session("pending_approval", title="Cooking", subject="Food", creator=make_session("approved").creator)
    assert "Advanced Python Programming" in titles(moderator, q=words)


def test_sessions_are_filtered_by_level_and_status(
    sessions: None, moderator: Client, make_session: MakeSession
) -> None:
    make_session("pending_approval", title="For beginners", level="beginner", date=NOW + timedelta(hours=500))
    assert titles(moderator, level__exact="beginner") == ["For beginners"]
    assert titles(moderator, tab="all", status__exact="completed") == ["Held"]


@pytest.mark.parametrize(
    ("start", "shown"),
    [
        ("today", ["Waits, soon"]),
        ("week", ["Waits, soon", "Waits, tomorrow", "Waits, late"]),
        ("past", []),
        ("nonsense", ["Waits, soon", "Waits, tomorrow", "Waits, late", "Far away"]),
    ],
)
def test_sessions_are_filtered_by_time_until_the_start(
    start: str, shown: list[str], sessions: None, moderator: Client, make_session: MakeSession
) -> None:
    make_session("pending_approval", title="Far away", date=NOW + timedelta(hours=5000))
    assert titles(moderator, start=start) == shown


def test_today_is_in_the_time_zone_of_the_moderator(moderator: Client, alice: User, make_session: MakeSession) -> None:
    make_session("pending_approval", title="Tomorrow here", date="2024-01-11T02:00:00+00:00")
    assert titles(moderator, start="today") == []
    alice.timezone = "America/New_York"
    alice.save()
    assert titles(moderator, start="today") == ["Tomorrow here"]


def test_an_invalid_filter_is_not_ignored_silently(sessions: None, moderator: Client) -> None:
    answer = moderator.get(LIST, {"nonsense": "1"})
    assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?e=1")


LABELS = ("title", "creator", "creator's history", "subject", "start", "waiting for", "overlaps", "in hand")


# --- Columns ----------------------------------------------------------------------------------------------------


def test_a_row_shows_evidence_for_the_decision(
    moderator: Client, john: User, make_session: MakeSession, clock: Any
) -> None:
    decide(moderator, "reject", make_session("pending_approval"), reason="No")
    make_session("completed")
    make_session("completed")
    make_session("cancelled", ever_approved=True)
    session = make_session("pending_approval", title="This", created_at=NOW - timedelta(hours=26))
    make_session("approved", title="At the same time", date=session.date)
    make_session("scheduled", title="Then as well", date=session.date + timedelta(minutes=30))
    shown = row(moderator, "This")
    assert {label: shown[label] for label in LABELS} == {
        "title": "This",
        "creator": "John Doe",
        "creator's history": "2 held, 1 rejected, 1 cancelled",
        "subject": "Programming",
        "start": "Mon 15 Jan 2024, 10:00 in 4 days",
        "waiting for": "1 day, 2 hours",
        "overlaps": "At the same time and 1 more",
        "in hand": "",
    }


def test_a_clash_with_an_attended_session_is_shown(
    moderator: Client, john: User, bob: User, make_session: MakeSession
) -> None:
    session = make_session("pending_approval", title="This")
    attended = make_session("approved", title="Attended", creator=bob, date=session.date)
    attended.participant_count = 1
    attended.save()
    join(attended, john, "approved")
    assert row(moderator, "This")["overlaps"] == "Attended"


def test_adjacent_sessions_do_not_clash(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval", title="This", duration=60)
    make_session("approved", date=session.date + timedelta(minutes=60))
    make_session("approved", date=session.date - timedelta(minutes=60), duration=60)
    make_session("cancelled", date=session.date)
    assert row(moderator, "This")["overlaps"] == "none"


def test_the_start_is_in_the_moderators_own_zone(moderator: Client, alice: User, make_session: MakeSession) -> None:
    alice.timezone = "Asia/Kolkata"
    alice.save()
    session = make_session("pending_approval", title="This")
    expected = session.date.astimezone(ZoneInfo("Asia/Kolkata")).strftime("%H:%M")
    assert f", {expected} in 4 days" in row(moderator, "This")["start"]


def test_other_tabs_show_the_status(sessions: None, moderator: Client) -> None:
    edited = row(moderator, "Edited, last", tab="all")
    assert edited["status"] == "scheduled, edited since approval"
    assert edited["places"] == "1 of 15"


def test_texts_of_members_are_escaped(moderator: Client, make_session: MakeSession, john: User) -> None:
    john.first_name = "<script>2</script>"
    john.save()
    session = make_session("pending_approval", title="<script>1</script>", subject="<b>bold")
    make_session("approved", title="<script>3</script>", date=session.date)
    html = moderator.get(LIST).content.decode()
    assert "<script>1" not in html
    assert "<script>2" not in html
    assert "<script>3" not in html
    assert "<b>bold" not in html


# --- Rights and cost --------------------------------------------------------------------------------------------


def test_staff_with_view_permission_see_no_buttons(make_member: Any, make_session: MakeSession) -> None:
    reader = make_member(is_staff=True)
    reader.user_permissions.add(
        Permission.objects.get(codename="view_session", content_type__app_label="learning_sessions")
    )
    session = make_session("pending_approval")
    client = log_in(reader)
    for address in (LIST, page(session)):
        html = client.get(address).content.decode()
        assert "data-dialog=" not in html
    assert open_decision(client, "approve", session).status_code == 403


@pytest.mark.parametrize("tab", ["waiting", "soon", "edited", "cancelled", "all"])
def test_the_list_takes_a_constant_number_of_queries(tab: str, moderator: Client, make_session: MakeSession) -> None:
    def fill(number: int) -> None:
        for _ in range(number):
            make_session("pending_approval", date=NOW + timedelta(hours=5))
            make_session("scheduled", second_look_since=NOW)
            make_session("cancelled", ever_approved=True)

    counts = []
    for number in (2, 12):
        fill(number)
        moderator.get(LIST, {"tab": tab})
        with CaptureQueriesContext(connection) as queries:
            assert moderator.get(LIST, {"tab": tab}).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 14


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("date__gte", "0001-01-01T00:00:00+14:00"),
        ("date__gte", "9999-12-31T23:59:59-12:00"),
        ("date__lt", "9999-12-31"),
        ("decided_at__gte", "9999-12-31T23:59:59-12:00"),
        ("decided_at__gte", "0001-1-1"),
        ("subject_key", "\x00"),
        ("creator__id__exact", "9" * 30),
    ],
)
def test_values_that_the_database_refuses_are_no_filter(name: str, value: str, alice: User, moderator: Client) -> None:
    alice.timezone = "Asia/Tokyo" if value.startswith("0001") else "America/New_York"
    alice.save()
    for answer in (
        moderator.get(LIST, {"tab": "all", name: value}),
        moderator.post(f"{LIST}export/csv/?{urlencode({'tab': 'all', name: value})}"),
    ):
        assert answer.status_code == 302
        assert answer["Location"].endswith("?e=1")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("ticked", ["abc", "1.5", "", "\x00", "9" * 30, "²"])
def test_an_export_of_invalid_rows_is_refused(
    ticked: str, kind: str, moderator: Client, make_session: MakeSession
) -> None:
    session = make_session("pending_approval")
    chosen = {"action": f"export_{kind}", "_selected_action": [session.pk, ticked]}
    with nothing_changes():
        answer = moderator.post(LIST, chosen)
    assert (answer.status_code, answer["Location"]) == (302, LIST)
    assert messages_of(moderator.get(LIST)) == ["What was ticked is not in this list. Nothing was done."]


# --- The next ---------------------------------------------------------------------------------------------------


def test_the_next_session_is_the_following_by_start_or_the_first(sessions: None, alice: User) -> None:
    first, second, third = Session.objects.filter(title__startswith="Waits, ").order_by("date")
    viewer = build_viewer(alice)
    assert [find_next_waiting(session, viewer) for session in (first, second, third)] == [second, third, first]


def test_there_is_no_next_session_if_nothing_else_waits(make_session: MakeSession, alice: User) -> None:
    assert find_next_waiting(make_session("pending_approval"), build_viewer(alice)) is None


def test_the_next_session_is_not_an_own_one_except_for_superusers(
    make_session: MakeSession, alice: User, root: User
) -> None:
    session, own = make_session("pending_approval"), make_session("pending_approval", creator=alice)
    of_root = make_session("pending_approval", creator=root)
    of_root_later = make_session("pending_approval", creator=root)

    assert find_next_waiting(session, build_viewer(alice)) == of_root
    assert find_next_waiting(own, build_viewer(root)) == of_root
    assert find_next_waiting(of_root, build_viewer(root)) == of_root_later


def test_an_export_has_the_columns_and_rows_of_its_tab_with_instants_as_such(
    moderator: Client, make_session: MakeSession
) -> None:
    session = make_session("pending_approval", title="=1+1", subject="Maths")
    make_session("approved", title="Decided")
    answer = moderator.post(f"{LIST}export/csv/?tab=waiting")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines == [
        "Title,Creator,Creator's history,Subject,Start (UTC),Waiting for,Overlaps,In hand",
        f'\'=1+1,John Doe,none yet,Maths,{session.date.isoformat()},"1 week, 2 days",Decided,',
    ]


def test_filters_of_links_are_shown_and_can_be_cleared(moderator: Client, make_session: MakeSession) -> None:
    make_session("approved", title="In that week", date="2024-01-16T10:00:00+00:00")
    make_session("approved", title="Later", date="2024-01-26T10:00:00+00:00")
    query = {"tab": "all", "date__gte": "2024-01-15T00:00:00+00:00", "date__lt": "2024-01-22T00:00:00+00:00"}
    assert titles(moderator, **query) == ["In that week"]
    html = moderator.get(LIST, query).content.decode()
    assert "Narrowed to starts from Mon 15 Jan 2024, 00:00, starts before Mon 22 Jan 2024, 00:00." in html
    cleared = re.search(r'href="([^"]*)">Show all of this list', html)
    assert cleared is not None
    assert cleared[1] == "?tab=all"
    assert "Narrowed" not in moderator.get(LIST, {"tab": "all"}).content.decode()


@pytest.mark.parametrize(
    ("tab", "is_offered"), [("waiting", True), ("all", True), ("edited", False), ("cancelled", False)]
)
def test_decisions_are_offered_on_tabs_with_waiting_sessions(
    tab: str, is_offered: bool, sessions: None, moderator: Client
) -> None:
    html = moderator.get(LIST, {"tab": tab}).content.decode()
    assert ("data-dialog-rows" in html) is is_offered


def test_a_decided_session_shows_no_lease(moderator: Client, victor: User, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    open_decision(moderator, "approve", session)
    session.status, session.approved_at = "approved", session.created_at
    session.save()
    assert "In the hands of" not in log_in(victor).get(page(session)).content.decode()


def test_a_session_past_its_start_is_not_waiting(make_session: MakeSession, moderator: Client) -> None:
    make_session("pending_approval", title="Starts now", date=NOW)
    make_session("pending_approval", title="Starts soon", date=NOW + timedelta(seconds=1))

    assert titles(moderator) == ["Starts soon"]
