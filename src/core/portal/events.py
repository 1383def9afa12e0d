"""What the portal tells and asks."""

from collections.abc import Collection
from dataclasses import dataclass

from core.facts.base import Fact, Question


@dataclass(frozen=True, kw_only=True)
class ListExported(Fact):
    """Sent when somebody takes a list along as a file, before the file is sent; not when it is refused.

    `query` is what the list was filtered, searched and sorted by, as it stands in its address; `ticked` are the keys of
    the rows where some were chosen, and empty for all that the list finds.
    """

    summary_template = "{actor} exported the list of {list_name}"

    label: str
    list_name: str
    kind: str
    query: str
    ticked: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OwnSessionsAsked(Question[Collection[int]]):
    """The ids of the sessions that a member has offered: as a moderator, they do not read what happened in them."""

    member_id: int

    def default(self) -> Collection[int]:
        return ()
