"""Seats and subjects, on the dashboard."""

from collections.abc import Callable
from datetime import timedelta

from django.test import Client
from tests.modules.sessions.conftest import MakeSession
from tests.modules.sessions.dashboard.conftest import (
    FIRST_WEEK,
    INSTANT,
    THIS_WEEK,
    areas_of,
    chart_of,
    listed,
    points_of,
)

from core.accounts.models import User
from core.portal.dashboard import Ranking


def ranking_of(client: Client) -> Ranking:
    (ranking,) = areas_of(client)["weeks"].rankings
    return ranking


def test_seats_are_those_of_the_sessions_held(
    moderator: Client, make_session: MakeSession, make_member: Callable[..., User]
) -> None:
    make_session("completed", date=FIRST_WEEK, max_participants=4, participants=[make_member(), make_member()])
    make_session("completed", date=FIRST_WEEK, max_participants=4, participants=[make_member()])
    make_session("completed", date=THIS_WEEK, max_participants=2, participants=[make_member(), make_member()])
    make_session("scheduled", date=THIS_WEEK + timedelta(days=6), max_participants=50)
    make_session("cancelled", date=THIS_WEEK, max_participants=50, participants=[make_member()])

    chart = chart_of(moderator, "places")

    (series,) = chart.series
    assert [point.value for point in series.points] == [38, *[None] * 10, 100]
    assert chart.summary == "50% of the places were taken: 5 of 10, in 3 sessions."


def test_charts_without_sessions_say_so(moderator: Client) -> None:
    assert chart_of(moderator, "outcomes").summary == "There were no sessions."
    assert chart_of(moderator, "places").summary == "No session was held."
    assert not any(point.url for key in ("outcomes", "places") for point in points_of(chart_of(moderator, key)))
    assert ranking_of(moderator).rows == []
    assert "No session was held." in moderator.get("/admin/").content.decode()


def test_the_busiest_subjects_had_the_most_sessions_then_the_most_participants(
    moderator: Client, make_session: MakeSession, make_member: Callable[..., User]
) -> None:
    def hold(subject: str, *, participants: int) -> None:
        members = [make_member() for _ in range(participants)]
        make_session("completed", date=THIS_WEEK, subject=subject, participants=members)

    hold("Chess", participants=1)
    hold("Chess", participants=1)
    hold("Art", participants=3)
    hold("Cooking", participants=4)
    hold("Botany", participants=3)
    # Not held, or not in these weeks.
    make_session("scheduled", subject="Cooking")
    make_session("completed", subject="Cooking", date=FIRST_WEEK - INSTANT)

    assert [(row.title, row.text, row.share) for row in ranking_of(moderator).rows] == [
        ("Chess", "2 sessions, 2 participants", 100),
        ("Cooking", "1 session, 4 participants", 50),
        ("Art", "1 session, 3 participants", 50),
        ("Botany", "1 session, 3 participants", 50),
    ]


def test_subjects_are_grouped_case_insensitively(moderator: Client, make_session: MakeSession) -> None:
    sessions = {make_session("completed", date=THIS_WEEK, subject=subject).pk for subject in ("Äther", "ÄTHER")}
    make_session("completed", date=THIS_WEEK, subject="Ether")

    first, _second = ranking_of(moderator).rows

    assert (first.title.casefold(), first.text) == ("äther", "2 sessions, 2 participants")
    assert listed(moderator, first.url) == sessions


def test_eight_subjects_are_shown_with_links_to_their_sessions(moderator: Client, make_session: MakeSession) -> None:
    for number in range(1, 10):
        for _ in range(number):
            make_session("completed", date=THIS_WEEK, subject=f"Subject & {number}")
    make_session("completed", date=FIRST_WEEK - INSTANT, subject="Subject & 9")
    make_session("expired", date=THIS_WEEK, subject="Subject & 9")

    rows = ranking_of(moderator).rows

    assert [row.title for row in rows] == [f"Subject & {number}" for number in range(9, 1, -1)]
    assert [len(listed(moderator, row.url)) for row in rows] == [9, 8, 7, 6, 5, 4, 3, 2]
