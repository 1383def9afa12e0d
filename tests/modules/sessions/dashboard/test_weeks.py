"""The sessions of the last weeks by outcome, on the dashboard."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from tests.modules.sessions.conftest import NOW, MakeSession
from tests.modules.sessions.dashboard.conftest import (
    FIRST_WEEK,
    INSTANT,
    THIS_WEEK,
    WEEK,
    chart_of,
    in_weeks,
    listed,
    outcomes_of,
    points_of,
)
from tests.modules.sessions.portal import decide

from modules.sessions.models import Session


def test_a_week_begins_on_monday_at_midnight_utc(moderator: Client, make_session: MakeSession) -> None:
    for date in (FIRST_WEEK, FIRST_WEEK + WEEK - INSTANT, THIS_WEEK, THIS_WEEK + WEEK - INSTANT):
        make_session("completed", date=date)
    for date in (FIRST_WEEK - INSTANT, THIS_WEEK + WEEK):
        make_session("completed", date=date)

    assert outcomes_of(moderator) == {"held": in_weeks(first=2, last=2)}


def test_the_first_instant_of_a_week_belongs_to_it(moderator: Client, make_session: MakeSession) -> None:
    make_session("completed", date=FIRST_WEEK + WEEK)

    assert outcomes_of(moderator) == {"held": [0, 1, *[0] * 10]}


@pytest.mark.parametrize("day", [THIS_WEEK, THIS_WEEK + WEEK - INSTANT])
def test_the_current_week_is_the_last_one(
    day: datetime, moderator: Client, make_session: MakeSession, clock: Any
) -> None:
    make_session("completed", date=THIS_WEEK)
    clock.move_to(day, tick=False)

    assert outcomes_of(moderator) == {"held": in_weeks(last=1)}


def test_weeks_are_labelled_by_their_mondays(moderator: Client) -> None:
    labels = chart_of(moderator, "outcomes").labels

    assert (len(labels), labels[0], labels[1], labels[-1]) == (12, "23 Oct", "30 Oct", "8 Jan")


@pytest.mark.parametrize(
    ("outcome", "status", "values"),
    [
        ("held", "completed", {}),
        ("expired", "expired", {}),
        ("expired", "expired", {"ever_approved": True}),
        ("rejected", "cancelled", {"decided_at": NOW}),
        ("cancelled", "cancelled", {"ever_approved": True, "decided_at": NOW}),
        # Taken back by its creator, before anybody had decided.
        ("cancelled", "cancelled", {}),
        ("not_over", "pending_approval", {}),
        ("not_over", "approved", {}),
        ("not_over", "scheduled", {}),
        ("not_over", "ongoing", {}),
    ],
)
def test_each_session_has_one_outcome(
    outcome: str, status: str, values: dict[str, Any], moderator: Client, make_session: MakeSession
) -> None:
    session = make_session(status, date=NOW + timedelta(hours=1), **values)

    assert outcomes_of(moderator) == {outcome: in_weeks(last=1)}
    (url,) = {point.url for point in points_of(chart_of(moderator, "outcomes")) if point.value and "01-08" in point.url}
    assert listed(moderator, url) == {session.pk}


def test_a_session_that_a_moderator_rejects_is_counted_as_rejected(
    moderator: Client, make_session: MakeSession
) -> None:
    session = make_session("pending_approval", date=NOW + timedelta(days=1))

    decide(moderator, "reject", session, reason="Too vague")

    assert outcomes_of(moderator) == {"rejected": in_weeks(last=1)}


@pytest.fixture
def of_everything(make_session: MakeSession) -> None:
    """Sessions of each outcome in several weeks, and on both sides of those that are shown."""
    for number in range(-1, 13):
        date = FIRST_WEEK + number * WEEK + timedelta(days=number % 7, hours=number)
        make_session("completed", date=date, max_participants=4, subject="Art")
        make_session("completed", date=date, max_participants=9, subject=f"Craft {number % 3}")
        make_session("expired" if number % 2 else "cancelled", date=date)
        make_session("cancelled", date=date, ever_approved=number % 3 == 0, decided_at=NOW)
        make_session("approved", date=date)


@pytest.mark.parametrize("key", ["outcomes", "places"])
def test_every_number_links_to_the_sessions_that_it_counts(key: str, moderator: Client, of_everything: None) -> None:
    chart = chart_of(moderator, key)
    points = [point for point in points_of(chart) if point.url]

    assert len(points) > 12
    assert all(bool(point.url) == bool(point.value) for point in points_of(chart))
    for point in points:
        sessions = Session.objects.filter(pk__in=listed(moderator, point.url))
        if key == "outcomes":
            assert len(sessions) == point.value
        else:
            places = sum(session.max_participants for session in sessions)
            taken = sum(session.participant_count for session in sessions)
            assert point.text == f"{round(100 * taken / places)}% ({taken} of {places})"


def test_links_of_outcomes_filter_by_outcome_and_week(moderator: Client, of_everything: None) -> None:
    counted: set[int] = set()
    for series in chart_of(moderator, "outcomes").series:
        for point in series.points:
            sessions = listed(moderator, point.url) if point.url else set()
            assert not sessions & counted
            counted |= sessions
        assert listed(moderator, series.total.url) <= counted

    assert counted == {
        session.pk for session in Session.objects.filter(date__gte=FIRST_WEEK, date__lt=THIS_WEEK + WEEK)
    }


def test_the_summary_describes_the_outcomes(moderator: Client, make_session: MakeSession) -> None:
    make_session("completed", date=FIRST_WEEK)
    make_session("completed", date=THIS_WEEK)
    make_session("expired", date=THIS_WEEK)

    assert chart_of(moderator, "outcomes").summary == "3 sessions: 2 held, 1 expired."
