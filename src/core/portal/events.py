"""The fact and the questions of the portal."""

from collections.abc import Collection
from dataclasses import dataclass

from core.facts.base import Fact, Question


@dataclass(frozen=True, kw_only=True)
class ListExported(Fact):
    """Sent when somebody exports a list, before the file is sent; not when the export is rejected.

    `query` is the query string of the list (filters, search, order). `ticked` are the primary keys of the selected
    rows, and empty if the whole list was exported.
    """

    summary_template = "{actor} exported the list of {list_name}"

    label: str
    list_name: str
    kind: str
    query: str
    ticked: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OwnSessionsAsked(Question[Collection[int]]):
    """Which sessions (ids) did a member offer? As a moderator they may not read the facts of these."""

    member_id: int

    def default(self) -> Collection[int]:
        return ()
