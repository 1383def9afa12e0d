"""The dashboard's numbers of the sessions: each is right at its edges, and leads to the list of what it counts."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from model_bakery import baker
from pytest_django import Settings
from tests.modules.sessions.conftest import NOW, MakeSession
from tests.modules.sessions.portal import admin_of, decide, page

from core.accounts.models import User
from core.portal.dashboard import Area, Card, Chart, Point, Ranking
from modules.sessions.models import Session

# NOW is a Wednesday: the week that goes on began two days ago, and the first of twelve in October.
THIS_WEEK = datetime(2024, 1, 8, tzinfo=UTC)
FIRST_WEEK = datetime(2023, 10, 23, tzinfo=UTC)
WEEK = timedelta(weeks=1)
INSTANT = timedelta.resolution


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    """Other tests stand at the same time."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def moderator(alice: User) -> Client:
    alice.is_staff = True
    alice.save()
    return admin_of(alice)


def areas_of(client: Client) -> dict[str, Area]:
    answer = client.get("/admin/")
    assert answer.status_code == 200
    return {area.key: area for area in answer.context["areas"]}


def card_of(client: Client, key: str) -> Card:
    (card,) = (card for area in areas_of(client).values() for card in area.cards if card.key == key)
    return card


def chart_of(client: Client, key: str) -> Chart:
    (chart,) = (chart for chart in areas_of(client)["weeks"].charts if chart.key == key)
    return chart


def ranking_of(client: Client) -> Ranking:
    (ranking,) = areas_of(client)["weeks"].rankings
    return ranking


def outcomes_of(client: Client) -> dict[str, list[float | None]]:
    """The numbers of each outcome in the twelve weeks, those that have any."""
    rows = {series.key: [point.value for point in series.points] for series in chart_of(client, "outcomes").series}
    return {key: values for key, values in rows.items() if any(values)}


def in_weeks(**numbers: int) -> list[int]:
    """Twelve numbers, of which those of the first or the last week may be given."""
    return [numbers.get("first", 0), *[0] * 10, numbers.get("last", 0)]


def points_of(chart: Chart) -> list[Point]:
    return [point for series in chart.series for point in [*series.points, series.together]]


def listed(client: Client, url: str) -> set[int]:
    """The sessions in the list that an address leads to: exactly these, or Django would have left a filter out."""
    answer = client.get(url)
    assert answer.status_code == 200, url
    change_list = answer.context["cl"]
    assert change_list.get_filters_params() or "tab=" in url
    return {session.pk for session in change_list.result_list}


# --- What waits now ---------------------------------------------------------------------------------------------


def test_what_waits_is_counted_until_it_starts(moderator: Client, make_session: MakeSession) -> None:
    waiting = {
        make_session("pending_approval", date=NOW + timedelta(days=3)).pk,
        make_session("pending_approval", date=NOW + INSTANT).pk,
    }
    make_session("pending_approval", date=NOW)
    make_session("approved")
    make_session("cancelled")

    card = card_of(moderator, "waiting")

    assert card.value == "2"
    assert listed(moderator, card.url) == waiting


def test_what_starts_within_24_hours_is_counted_while_it_is_undecided(
    moderator: Client, make_session: MakeSession
) -> None:
    soon = {make_session("pending_approval", date=NOW + timedelta(hours=24)).pk}
    make_session("pending_approval", date=NOW + timedelta(hours=24) + INSTANT)
    make_session("approved", date=NOW + timedelta(hours=3))

    card = card_of(moderator, "starting-soon")

    assert (card.value, card.tone) == ("1", "warning")
    assert listed(moderator, card.url) == soon


def test_nothing_that_starts_soon_is_no_warning(moderator: Client, make_session: MakeSession) -> None:
    make_session("pending_approval")

    card = card_of(moderator, "starting-soon")

    assert (card.value, card.tone) == ("0", "calm")


def test_what_was_edited_since_its_approval_is_counted(moderator: Client, make_session: MakeSession) -> None:
    edited = {make_session("scheduled", second_look_since=NOW - timedelta(hours=1)).pk}
    make_session("scheduled")

    card = card_of(moderator, "edited")

    assert card.value == "1"
    assert listed(moderator, card.url) == edited


def test_the_longest_wait_is_that_of_what_was_offered_first(moderator: Client, make_session: MakeSession) -> None:
    make_session("pending_approval", title="Younger", created_at=NOW - timedelta(hours=1))
    oldest = make_session("pending_approval", title="Oldest", created_at=NOW - timedelta(hours=3, minutes=20))
    make_session("pending_approval", title="Too late", created_at=NOW - timedelta(days=9), date=NOW)
    make_session("approved", title="Decided", created_at=NOW - timedelta(days=9))

    card = card_of(moderator, "longest-wait")

    assert (card.value, card.note, card.url) == ("3 hours, 20 minutes", "Oldest", page(oldest))
    assert moderator.get(card.url).status_code == 200


def test_where_nothing_waits_there_is_no_longest_wait(moderator: Client, make_session: MakeSession) -> None:
    make_session("approved")

    card = card_of(moderator, "longest-wait")

    assert (card.value, card.note, card.url) == ("None", "Nothing waits", "")


# --- Decisions --------------------------------------------------------------------------------------------------


@pytest.fixture
def make_decided(make_session: MakeSession, alice: User) -> Callable[..., Session]:
    """Makes a session that was decided after so many minutes."""

    def make(minutes: int, *, status: str = "approved", decided_at: datetime = NOW - timedelta(days=2)) -> Session:
        return make_session(
            status,
            created_at=decided_at - timedelta(minutes=minutes),
            decided_at=decided_at,
            decided_by=alice,
        )

    return make


def decision_times(client: Client) -> tuple[str, str, str]:
    return (
        card_of(client, "decided").value,
        card_of(client, "median").value,
        card_of(client, "ninetieth").value,
    )


def test_without_a_decision_there_is_no_time_that_it_took(moderator: Client, make_session: MakeSession) -> None:
    make_session("pending_approval")
    # Its creator was faster.
    make_session("cancelled")

    assert decision_times(moderator) == ("0", "None yet", "None yet")


def test_of_one_decision_the_median_is_its_own_time(moderator: Client, make_decided: Callable[..., Session]) -> None:
    make_decided(200)

    assert decision_times(moderator) == ("1", "3 hours, 20 minutes", "3 hours, 20 minutes")


def test_half_of_them_took_no_longer_than_the_median(moderator: Client, make_decided: Callable[..., Session]) -> None:
    """And nine of ten no longer than the 90th percentile, whatever the slowest took."""
    for minutes in (50, 10, 90, 30, 70, 20, 60, 40, 5000, 80):
        make_decided(minutes)

    assert decision_times(moderator) == ("10", "50 minutes", "1 hour, 30 minutes")


def test_of_two_the_faster_is_the_half_of_them(moderator: Client, make_decided: Callable[..., Session]) -> None:
    make_decided(60)
    make_decided(120)

    assert decision_times(moderator) == ("2", "1 hour", "2 hours")


def test_rejections_are_decisions_too_and_each_is_counted_for_90_days(
    moderator: Client, make_decided: Callable[..., Session]
) -> None:
    decided = {
        make_decided(60, status="cancelled").pk,
        make_decided(60, status="completed", decided_at=NOW - timedelta(days=90)).pk,
    }
    make_decided(600, status="completed", decided_at=NOW - timedelta(days=90) - INSTANT)

    assert decision_times(moderator) == ("2", "1 hour", "1 hour")
    assert listed(moderator, card_of(moderator, "decided").url) == decided


def test_a_decision_on_the_page_is_one_of_them(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval", created_at=NOW - timedelta(hours=2))

    decide(moderator, "approve", session)

    assert decision_times(moderator) == ("1", "2 hours", "2 hours")


# --- Weeks ------------------------------------------------------------------------------------------------------


def test_a_week_begins_on_monday_at_midnight_utc(moderator: Client, make_session: MakeSession) -> None:
    for date in (FIRST_WEEK, FIRST_WEEK + WEEK - INSTANT, THIS_WEEK, THIS_WEEK + WEEK - INSTANT):
        make_session("completed", date=date)
    for date in (FIRST_WEEK - INSTANT, THIS_WEEK + WEEK):
        make_session("completed", date=date)

    assert outcomes_of(moderator) == {"held": in_weeks(first=2, last=2)}


def test_the_first_instant_of_a_week_is_not_of_the_one_before(moderator: Client, make_session: MakeSession) -> None:
    make_session("completed", date=FIRST_WEEK + WEEK)

    assert outcomes_of(moderator) == {"held": [0, 1, *[0] * 10]}


@pytest.mark.parametrize("day", [THIS_WEEK, THIS_WEEK + WEEK - INSTANT])
def test_the_week_that_goes_on_is_the_last_one_on_all_of_its_days(
    day: datetime, moderator: Client, make_session: MakeSession, clock: Any
) -> None:
    make_session("completed", date=THIS_WEEK)
    clock.move_to(day, tick=False)

    assert outcomes_of(moderator) == {"held": in_weeks(last=1)}


def test_the_weeks_are_named_by_their_mondays(moderator: Client) -> None:
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
def test_every_number_in_a_chart_leads_to_the_list_of_what_it_counts(
    key: str, moderator: Client, of_everything: None
) -> None:
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
            assert point.words == f"{round(100 * taken / places)}% ({taken} of {places})"


def test_what_an_outcome_leads_to_is_of_that_outcome_and_week_alone(moderator: Client, of_everything: None) -> None:
    counted: set[int] = set()
    for series in chart_of(moderator, "outcomes").series:
        for point in series.points:
            sessions = listed(moderator, point.url) if point.url else set()
            assert not sessions & counted
            counted |= sessions
        assert listed(moderator, series.together.url) <= counted

    assert counted == {
        session.pk for session in Session.objects.filter(date__gte=FIRST_WEEK, date__lt=THIS_WEEK + WEEK)
    }


def test_the_main_thing_of_the_outcomes_is_said_in_words(moderator: Client, make_session: MakeSession) -> None:
    make_session("completed", date=FIRST_WEEK)
    make_session("completed", date=THIS_WEEK)
    make_session("expired", date=THIS_WEEK)

    assert chart_of(moderator, "outcomes").summary == "3 sessions: 2 held, 1 expired."


# --- Places -----------------------------------------------------------------------------------------------------


def test_places_are_those_of_the_sessions_held(
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


def test_without_any_session_the_figures_say_so(moderator: Client) -> None:
    assert chart_of(moderator, "outcomes").summary == "There were no sessions."
    assert chart_of(moderator, "places").summary == "No session was held."
    assert not any(point.url for key in ("outcomes", "places") for point in points_of(chart_of(moderator, key)))
    assert ranking_of(moderator).rows == []
    assert "No session was held." in moderator.get("/admin/").content.decode()


# --- Subjects ---------------------------------------------------------------------------------------------------


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

    assert [(row.title, row.words, row.share) for row in ranking_of(moderator).rows] == [
        ("Chess", "2 sessions, 2 participants", 100),
        ("Cooking", "1 session, 4 participants", 50),
        ("Art", "1 session, 3 participants", 50),
        ("Botany", "1 session, 3 participants", 50),
    ]


def test_a_subject_is_one_whatever_its_letters(moderator: Client, make_session: MakeSession) -> None:
    sessions = {make_session("completed", date=THIS_WEEK, subject=subject).pk for subject in ("Äther", "ÄTHER")}
    make_session("completed", date=THIS_WEEK, subject="Ether")

    first, _second = ranking_of(moderator).rows

    assert (first.title.casefold(), first.words) == ("äther", "2 sessions, 2 participants")
    assert listed(moderator, first.url) == sessions


def test_no_more_than_eight_subjects_are_shown_and_each_leads_to_what_was_held_of_it(
    moderator: Client, make_session: MakeSession
) -> None:
    for number in range(1, 10):
        for _ in range(number):
            make_session("completed", date=THIS_WEEK, subject=f"Subject & {number}")
    make_session("completed", date=FIRST_WEEK - INSTANT, subject="Subject & 9")
    make_session("expired", date=THIS_WEEK, subject="Subject & 9")

    rows = ranking_of(moderator).rows

    assert [row.title for row in rows] == [f"Subject & {number}" for number in range(9, 1, -1)]
    assert [len(listed(moderator, row.url)) for row in rows] == [9, 8, 7, 6, 5, 4, 3, 2]


# --- Rights, and how old it is ----------------------------------------------------------------------------------


def test_who_may_not_see_sessions_sees_none_of_their_numbers(
    moderator: Client, make_session: MakeSession, make_member: Callable[..., User]
) -> None:
    make_session("completed", date=THIS_WEEK, subject="Chess")
    assert "weeks" in areas_of(moderator)

    answer = admin_of(make_member(is_staff=True)).get("/admin/")

    assert answer.context["areas"] == []
    assert "Chess" not in answer.content.decode()


def test_statistics_are_kept_for_a_minute_and_say_of_when_they_are(
    moderator: Client, make_session: MakeSession, clock: Any
) -> None:
    make_session("completed", date=THIS_WEEK)
    assert outcomes_of(moderator) == {"held": in_weeks(last=1)}
    make_session("completed", date=THIS_WEEK)

    clock.shift(timedelta(seconds=59))
    kept = areas_of(moderator)["weeks"].as_of
    assert (outcomes_of(moderator), kept) == ({"held": in_weeks(last=1)}, NOW)
    clock.shift(timedelta(seconds=2))
    fresh = areas_of(moderator)["weeks"].as_of

    assert (outcomes_of(moderator), fresh) == ({"held": in_weeks(last=2)}, NOW + timedelta(seconds=61))


def test_what_is_kept_is_everybody_s_who_may_see_it(moderator: Client, root: User, make_session: MakeSession) -> None:
    assert outcomes_of(moderator) == {}
    make_session("completed", date=THIS_WEEK)

    assert outcomes_of(admin_of(root)) == {}


def test_what_waits_is_never_old(moderator: Client, make_session: MakeSession) -> None:
    session = make_session("pending_approval")
    assert card_of(moderator, "waiting").value == "1"

    decide(moderator, "approve", session)

    assert card_of(moderator, "waiting").value == "0"


def test_what_was_kept_by_a_clock_that_was_wrong_is_reckoned_anew(
    moderator: Client, make_session: MakeSession, clock: Any
) -> None:
    clock.shift(timedelta(seconds=30))
    areas_of(moderator)
    make_session("completed", date=THIS_WEEK)

    clock.move_to(NOW, tick=False)

    assert outcomes_of(moderator) == {"held": in_weeks(last=1)}


@pytest.mark.usefixtures("unlogged")
def test_without_its_cache_the_page_is_there_all_the_same(
    moderator: Client, make_session: MakeSession, settings: Settings
) -> None:
    redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": redis}
    make_session("completed", date=THIS_WEEK)

    assert outcomes_of(moderator) == {"held": in_weeks(last=1)}


def test_what_is_not_ours_in_the_cache_is_not_shown(moderator: Client) -> None:
    areas_of(moderator)
    cache.set("learning_sessions.statistics", "rubbish")

    assert areas_of(moderator)["weeks"].as_of == NOW


def test_the_page_takes_as_many_queries_for_many_sessions_as_for_none(
    moderator: Client, make_session: MakeSession
) -> None:
    def queries() -> int:
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            assert moderator.get("/admin/").status_code == 200
        return len(captured)

    queries()
    for number in range(3):
        make_session("pending_approval")
        make_session("completed", date=FIRST_WEEK + number * WEEK, decided_at=NOW)
    few = queries()
    for number in range(12):
        for status in ("pending_approval", "approved", "cancelled", "expired"):
            make_session(status, creator=baker.make(User, username=f"{status}_{number}"))
        make_session("completed", date=FIRST_WEEK + number * WEEK, decided_at=NOW, subject=f"Subject {number}")

    assert queries() == few
