"""What the portal tells."""

from dataclasses import dataclass

from core.facts.base import Fact


@dataclass(frozen=True, kw_only=True)
class ListExported(Fact):
    """Sent when somebody takes a list along as a file, before the file is sent; not when it is refused.

    `query` is what the list was filtered, searched and sorted by, as it stands in its address; `ticked` are the keys of
    the rows where some were chosen, and empty for all that the list finds.
    """

    words = "{actor} exported the list of {list_name}"

    label: str
    list_name: str
    kind: str
    query: str
    ticked: tuple[str, ...] = ()
