"""The first page of the portal: how things stand, each leading to where it can be looked into.

Whoever knows answers with areas of it (`DashboardAsked`): cards for single numbers, charts for how they went, rankings
for who comes first. What a viewer may not see is not in the answer.
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
    """How a card wants to be taken. It shows in a sign and in words too, not in its colour alone."""

    CALM = "calm"
    WARNING = "warning"
    ALARM = "alarm"


@dataclass(frozen=True, kw_only=True)
class Card:
    """One number with its title; `note` says more about it, `lines` name what it counts.

    `url` leads to a list of exactly what was counted, for who may see one. `icon` is a name of Material Symbols.
    """

    key: str
    title: str
    value: str
    icon: str
    note: str = ""
    lines: Sequence[str] = ()
    # What the note ends with: an instant, by the viewer's clock.
    since: datetime | None = None
    url: str = ""
    tone: Tone = Tone.CALM


@dataclass(frozen=True, kw_only=True)
class Point:
    """A value in a chart, in words for the table below it, and the list of what was counted; no value is a gap."""

    value: float | None
    words: str
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One kind of points, one for each label of its chart. `key` gives it a colour and a pattern (dashboard.css)."""

    key: str
    title: str
    points: Sequence[Point]
    together: Point


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Numbers as a picture, with the same numbers as a table below. `summary` says the main thing, as a sentence."""

    key: str
    title: str
    kind: Literal["bars", "line"]
    summary: str
    # What the labels are, as the head of their column.
    label: str
    labels: Sequence[str]
    series: Sequence[Series]
    unit: str = ""
    # Where the axis ends, if it is not where the values do.
    highest: float | None = None

    @property
    def rows(self) -> list[tuple[str, list[Point]]]:
        """The table: a label and the point of each series there; the last row is all of them together."""
        rows = [(label, [each.points[number] for each in self.series]) for number, label in enumerate(self.labels)]
        return [*rows, ("Together", [each.together for each in self.series])]

    @property
    def picture_id(self) -> str:
        return f"picture-{self.key}"

    @property
    def picture(self) -> dict[str, Any]:
        """What dashboard.js draws."""
        return {
            "kind": self.kind,
            "unit": self.unit,
            "highest": self.highest,
            "labels": list(self.labels),
            "series": [
                {
                    "key": each.key,
                    "title": each.title,
                    "values": [point.value for point in each.points],
                    "words": [point.words for point in each.points],
                    "urls": [point.url for point in each.points],
                }
                for each in self.series
            ],
        }


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A row of a ranking; `share` of the first one's, in percent, is how long its bar is."""

    title: str
    words: str
    share: int
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The first few of something; `nothing` is said where there is none."""

    key: str
    title: str
    rows: Sequence[Ranked]
    nothing: str


@dataclass(frozen=True, kw_only=True)
class Area:
    """What belongs together under one heading. Areas stand in the order of their ranks, the smallest first.

    `note` says what its numbers are about, and `as_of` when they were so, where that is not now.
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
    """What is `viewer` shown on the first page? Core and each module answer with areas that they may see."""

    viewer: User

    def default(self) -> list[Area]:
        return []


def show_dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the first page is rendered with, for unfold."""
    asked = [area for answer in DashboardAsked(viewer=get_acting_member(request)).ask_all() for area in answer]
    areas = sorted(asked, key=lambda area: (area.rank, area.key))
    return {**context, "title": "Dashboard", "areas": areas}
