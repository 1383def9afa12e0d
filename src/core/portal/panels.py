"""The tabs of a page about one thing, each filled by whoever knows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.accounts.models import User
from core.facts.base import Question


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One tab. `key` names it in the address of the page (`#requests`); `count` stands beside its title, if any.

    `template` is rendered with `context`, and with what the page itself knows (`viewer`, and `session` or `member`).
    Tabs stand in the order of their ranks, the smallest first.
    """

    key: str
    title: str
    template: str
    rank: int
    context: Mapping[str, Any] = field(default_factory=dict)
    count: int | None = None


@dataclass(frozen=True, kw_only=True)
class PanelsOfMember(Question[list[Panel]]):
    """What does each module show `viewer` on the page about a member? Each answers with panels that they may see."""

    member: User
    viewer: User

    def default(self) -> list[Panel]:
        return []


def sort_panels(answers: Iterable[Iterable[Panel]]) -> list[Panel]:
    """The panels of all answers as the page shows them."""
    return sorted((panel for answer in answers for panel in answer), key=lambda panel: (panel.rank, panel.key))
