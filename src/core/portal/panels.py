"""The panels (tabs) of the pages about a session and a member, filled by core and the modules."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.accounts.models import User
from core.facts.base import Question


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One tab. `key` is its fragment in the URL (`#requests`); `count` is shown beside its title; `rank` sorts tabs.

    `template` is rendered with `context` and with that of the page (`viewer`, and `session` or `member`).
    """

    key: str
    title: str
    template: str
    rank: int
    context: Mapping[str, Any] = field(default_factory=dict)
    count: int | None = None


@dataclass(frozen=True, kw_only=True)
class PanelsOfMember(Question[list[Panel]]):
    """Which panels does `viewer` see on the page about a member?"""

    member: User
    viewer: User

    def default(self) -> list[Panel]:
        return []


def sort_panels(answers: Iterable[Iterable[Panel]]) -> list[Panel]:
    """Join the panels of all answers, sorted by rank."""
    return sorted((panel for answer in answers for panel in answer), key=lambda panel: (panel.rank, panel.key))
