"""The areas of sessions on the portal's dashboard."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from core.facts import answers
from core.portal.caching import cached
from core.portal.dashboard import Area, Card, Chart, DashboardAsked, Point, Ranked, Ranking, Series, Tone
from core.text.counts import format_count
from core.time import clock
from core.time.durations import format_duration
from modules.sessions.queries.statistics import (
    WEEK,
    Backlog,
    DecisionTimes,
    Outcome,
    Subject,
    Week,
    compute_statistics,
    count_backlog,
)
from modules.sessions.queries.tabs import ALL, EDITED, STARTING_SOON, WAITING, Tab

# How long statistics are cached. The backlog of moderators is never cached.
MAX_AGE = timedelta(minutes=1)
# Change the number with the fields of `Statistics`: a shared cache outlives an upgrade.
CACHE_KEY = "learning_sessions.statistics.2"


@answers(DashboardAsked)
def build_areas(question: DashboardAsked) -> list[Area] | None:
    if not question.viewer.has_perm("learning_sessions.view_session"):
        return None
    found = cached(CACHE_KEY, compute_statistics, at_most=MAX_AGE)
    return [
        Area(key="waits", title="What waits now", rank=10, cards=build_backlog_cards(count_backlog())),
        Area(
            key="decisions",
            title="Decisions of the last 90 days",
            rank=20,
            note="From when a session was offered until a moderator decided.",
            as_of=found.as_of,
            cards=build_decision_cards(found.value.decisions),
        ),
        Area(
            key="weeks",
            title="The last twelve weeks",
            rank=30,
            note="By when sessions start. Weeks begin on Monday at midnight UTC, and the last one is still going on.",
            as_of=found.as_of,
            charts=[build_outcome_chart(found.value.weeks), build_seat_chart(found.value.weeks)],
            rankings=[build_subject_ranking(found.value.subjects, found.value.weeks)],
        ),
    ]


# --- Cards ------------------------------------------------------------------------------------------------------


def build_backlog_cards(backlog: Backlog) -> list[Card]:
    longest = backlog.longest
    return [
        Card(
            key="waiting",
            title="Waiting",
            value=str(backlog.waiting),
            icon="pending_actions",
            note="for a decision",
            url=_get_list_url(WAITING),
        ),
        Card(
            key="starting-soon",
            title="Starting within 24 hours",
            value=str(backlog.starting_soon),
            icon="timer",
            note="and still undecided",
            url=_get_list_url(STARTING_SOON),
            tone=Tone.WARNING if backlog.starting_soon else Tone.CALM,
        ),
        Card(
            key="edited",
            title="Edited since approval",
            value=str(backlog.edited),
            icon="edit_note",
            note="for a second look",
            url=_get_list_url(EDITED),
        ),
        Card(
            key="longest-wait",
            title="Longest wait",
            value=format_duration(clock.now() - longest.since) if longest else "None",
            icon="hourglass_top",
            note=longest.title if longest else "Nothing waits",
            url=reverse("admin:learning_sessions_session_change", args=[longest.session_id]) if longest else "",
        ),
    ]


def build_decision_cards(times: DecisionTimes) -> list[Card]:
    url = _get_list_url(ALL, decided_at__gte=times.since.isoformat())
    return [
        Card(
            key="decided", title="Decided", value=str(times.decided), icon="gavel", note="approved or rejected", url=url
        ),
        Card(
            key="median",
            title="Half of them within",
            value=_format_time(times.median),
            icon="timelapse",
            note="the median",
        ),
        Card(
            key="ninetieth",
            title="Nine of ten within",
            value=_format_time(times.ninetieth),
            icon="speed",
            note="the 90th percentile",
        ),
    ]


def _format_time(span: timedelta | None) -> str:
    return format_duration(span) if span is not None else "None yet"


# --- Charts -----------------------------------------------------------------------------------------------------


def build_outcome_chart(weeks: Sequence[Week]) -> Chart:
    totals = {outcome: sum(week.sessions[outcome] for week in weeks) for outcome in Outcome}
    first, end = weeks[0].starts_at, weeks[-1].starts_at + WEEK
    named = [f"{number} {outcome.label.lower()}" for outcome, number in totals.items() if number]
    return Chart(
        key="outcomes",
        title="Sessions by outcome",
        kind="bars",
        summary=f"{format_count(sum(totals.values()), 'session')}: {', '.join(named)}."
        if named
        else "There were no sessions.",
        label="Week from",
        labels=[_format_day(week.starts_at) for week in weeks],
        series=[
            Series(
                key=outcome.value,
                title=str(outcome.label),
                points=[
                    _build_number_point(
                        week.sessions[outcome], _get_outcome_url(outcome, week.starts_at, week.starts_at + WEEK)
                    )
                    for week in weeks
                ],
                total=_build_number_point(totals[outcome], _get_outcome_url(outcome, first, end)),
            )
            for outcome in Outcome
        ],
    )


def build_seat_chart(weeks: Sequence[Week]) -> Chart:
    """Build the chart of the share of seats taken in the sessions held."""
    taken, seats = sum(week.taken for week in weeks), sum(week.seats for week in weeks)
    held = sum(week.sessions[Outcome.HELD] for week in weeks)
    first, end = weeks[0].starts_at, weeks[-1].starts_at + WEEK
    summary = "No session was held."
    if seats:
        held_in = format_count(held, "session")
        summary = f"{_format_share(taken, seats)} of the places were taken: {taken} of {seats}, in {held_in}."
    return Chart(
        key="places",
        title="Places taken",
        kind="line",
        summary=summary,
        label="Week from",
        labels=[_format_day(week.starts_at) for week in weeks],
        series=[
            Series(
                key="taken",
                title="Places taken of places offered",
                points=[
                    _build_rate_point(week.taken, week.seats, week.starts_at, week.starts_at + WEEK) for week in weeks
                ],
                total=_build_rate_point(taken, seats, first, end),
            )
        ],
        unit="%",
        axis_max=100,
    )


def build_subject_ranking(subjects: Sequence[Subject], weeks: Sequence[Week]) -> Ranking:
    first, end = weeks[0].starts_at, weeks[-1].starts_at + WEEK
    return Ranking(
        key="subjects",
        title="Busiest subjects",
        empty_text="No session was held.",
        rows=[
            Ranked(
                title=subject.name,
                text=(
                    f"{format_count(subject.sessions, 'session')}, {format_count(subject.participants, 'participant')}"
                ),
                share=round(100 * subject.sessions / subjects[0].sessions),
                url=_get_outcome_url(Outcome.HELD, first, end, subject_key=subject.key),
            )
            for subject in subjects
        ],
    )


def _build_number_point(value: int, url: str) -> Point:
    return Point(value=value, text=str(value), url=url if value else "")


def _build_rate_point(taken: int, seats: int, start: datetime, end: datetime) -> Point:
    if not seats:
        return Point(value=None, text="none held")
    return Point(
        value=round(100 * taken / seats),
        text=f"{_format_share(taken, seats)} ({taken} of {seats})",
        url=_get_outcome_url(Outcome.HELD, start, end),
    )


def _format_share(part: int, whole: int) -> str:
    return f"{round(100 * part / whole)}%"


def _format_day(instant: datetime) -> str:
    return f"{instant.day} {instant:%b}"


def _get_outcome_url(outcome: Outcome, start: datetime, end: datetime, **filters: Any) -> str:
    """Return the URL of the list of sessions with this outcome that start from `start` until before `end`."""
    period = {"date__gte": start.isoformat(), "date__lt": end.isoformat()}
    return _get_list_url(ALL, outcome=outcome.value, **period, **filters)


def _get_list_url(tab: Tab, **filters: Any) -> str:
    address = reverse("admin:learning_sessions_session_changelist")
    return f"{address}?{urlencode({'tab': tab.key, **filters})}"
