"""The areas of the sessions on the dashboard, read from its page."""

from datetime import UTC, datetime, timedelta

from django.test import Client

from core.portal.dashboard import Area, Card, Chart, Point

# NOW is a Wednesday: the week that goes on began two days ago, and the first of twelve in October.
THIS_WEEK = datetime(2024, 1, 8, tzinfo=UTC)


FIRST_WEEK = datetime(2023, 10, 23, tzinfo=UTC)


WEEK = timedelta(weeks=1)


INSTANT = timedelta.resolution


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


def outcomes_of(client: Client) -> dict[str, list[float | None]]:
    """The weekly numbers of each outcome that occurs in the twelve weeks."""
    rows = {series.key: [point.value for point in series.points] for series in chart_of(client, "outcomes").series}
    return {key: values for key, values in rows.items() if any(values)}


def in_weeks(**numbers: int) -> list[int]:
    """Twelve weekly numbers, zero except for the first or the last weeks."""
    return [numbers.get("first", 0), *[0] * 10, numbers.get("last", 0)]


def points_of(chart: Chart) -> list[Point]:
    return [point for series in chart.series for point in [*series.points, series.total]]


def listed(client: Client, url: str) -> set[int]:
    """The sessions in the list at a URL. Fails if Django has ignored a filter."""
    answer = client.get(url)
    assert answer.status_code == 200, url
    change_list = answer.context["cl"]
    assert change_list.get_filters_params() or "tab=" in url
    return {session.pk for session in change_list.result_list}
