"""The dashboard, which is the portal's first page.

Core and the modules answer `DashboardAsked` with areas: cards for single numbers, charts for numbers over time, and
rankings. They leave out what the viewer may not see.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from django.http import HttpRequest

from core.accounts.models import User
from core.admin.read_only import get_acting_member
from core.facts.base import Question


class Tone(StrEnum):
    """How urgent a card is. Its icon and its text say so too, not only its colour."""

    CALM = "calm"
    WARNING = "warning"
    ALARM = "alarm"


@dataclass(frozen=True, kw_only=True)
class Card:
    """One number with its title; `note` explains it, and `lines` list what it counts.

    `url` is the list of exactly what was counted, if the viewer may see it. `icon` is a name of Material Symbols.
    """

    key: str
    title: str
    value: str
    icon: str
    note: str = ""
    lines: Sequence[str] = ()
    # Shown after the note, in the viewer's time zone.
    since: datetime | None = None
    url: str = ""
    tone: Tone = Tone.CALM


@dataclass(frozen=True, kw_only=True)
class Point:
    """A value in a chart (`None` is a gap), its text in the table, and the URL of the list of what was counted."""

    value: float | None
    text: str
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Series:
    """A point for each label of its chart, and their total. dashboard.css and dashboard.js style it by its `key`."""

    key: str
    title: str
    points: Sequence[Point]
    total: Point


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart with the same numbers as a table below. `summary` is a sentence with the main result."""

    key: str
    title: str
    kind: Literal["bars", "line"]
    summary: str
    # The heading of the column of labels.
    label: str
    labels: Sequence[str]
    series: Sequence[Series]
    unit: str = ""
    # Where the axis ends, by default at the largest value.
    axis_max: float | None = None

    @property
    def rows(self) -> list[tuple[str, list[Point]]]:
        """The rows of the table: each label with the points of all series, and the totals."""
        rows = [(label, [each.points[number] for each in self.series]) for number, label in enumerate(self.labels)]
        return [*rows, ("Together", [each.total for each in self.series])]

    @property
    def picture_id(self) -> str:
        return f"picture-{self.key}"

    @property
    def picture(self) -> dict[str, Any]:
        """The JSON that dashboard.js draws."""
        return {
            "kind": self.kind,
            "unit": self.unit,
            "axisMax": self.axis_max,
            "labels": list(self.labels),
            "series": [
                {
                    "key": each.key,
                    "title": each.title,
                    "values": [point.value for point in each.points],
                    "texts": [point.text for point in each.points],
                    "urls": [point.url for point in each.points],
                }
                for each in self.series
            ],
        }


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A row of a ranking; `share` is the length of its bar, in percent of the first row's."""

    title: str
    text: str
    share: int
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The first rows of an order; `empty_text` is shown if there is none."""

    key: str
    title: str
    rows: Sequence[Ranked]
    empty_text: str


@dataclass(frozen=True, kw_only=True)
class Area:
    """A section with a heading; sections are sorted by `rank`.

    `note` says what the numbers are about, and `as_of` when they were computed, if they are cached.
    """

    key: str
    title: str
    rank: int
    cards: Sequence[Card] = ()
    charts: Sequence[Chart] = ()
    rankings: Sequence[Ranking] = ()
    note: str = ""
    as_of: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class DashboardAsked(Question[list[Area]]):
    """Which areas does `viewer` see on the dashboard?"""

    viewer: User

    def default(self) -> list[Area]:
        return []


def build_dashboard_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Build the template context (unfold's DASHBOARD_CALLBACK)."""
    answers = DashboardAsked(viewer=get_acting_member(request)).ask_all()
    areas = sorted((area for answer in answers for area in answer), key=lambda area: (area.rank, area.key))
    return {**context, "title": "Dashboard", "areas": areas}
