"""The sidebar: what there is to do in the portal, as far as whoever looks may do it. Core and the modules fill it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.facts.base import Question


class Section(StrEnum):
    """The headings of the sidebar, in their order."""

    START = ""
    MODERATION = "Moderation"
    RECORDS = "Records"
    SETTINGS = "Settings"


@dataclass(frozen=True, kw_only=True)
class Badge:
    """A number beside an entry, and the words that a screen reader says in its place."""

    text: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line of the sidebar; `url` is the page it leads to and the beginning of those that belong to it.

    Only who has the permission (`app.action_model`, "" for all staff) sees it. `icon` is a name of Material Symbols.
    Entries stand in the order of their ranks, the smallest first. `badge` is asked on every page, and costs at most
    one query.
    """

    section: Section
    title: str
    url: str
    icon: str
    permission: str
    rank: int
    badge: Callable[[], Badge | None] | None = None

    @classmethod
    def for_list(
        cls,
        section: Section,
        model: str,
        title: str,
        *,
        icon: str,
        rank: int,
        badge: Callable[[], Badge | None] | None = None,
    ) -> "Entry":
        """The entry of the list of a model (`app_label.model`), for those who may view it."""
        app_label, name = model.split(".")
        return cls(
            section=section,
            title=title,
            url=reverse(f"admin:{app_label}_{name}_changelist"),
            icon=icon,
            permission=f"{app_label}.view_{name}",
            rank=rank,
            badge=badge,
        )


@dataclass(frozen=True, kw_only=True)
class NavigationAsked(Question[list[Entry]]):
    """What is there for the sidebar? Core and each module answer with all of it: who sees what is settled here."""

    def default(self) -> list[Entry]:
        return []


def list_navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """What unfold shows as the sidebar."""
    asked = [entry for answer in NavigationAsked().ask_all() for entry in answer]
    entries = sorted(
        (entry for entry in asked if not entry.permission or request.user.has_perm(entry.permission)),
        key=lambda entry: (entry.rank, entry.title),
    )
    current = find_current_entry(entries, request.path)
    sections = {section: [entry for entry in entries if entry.section == section] for section in Section}
    return [
        {"title": section.value, "items": [_build_item(entry, is_current=entry is current) for entry in filed]}
        for section, filed in sections.items()
        if filed
    ]


def find_current_entry(entries: Iterable[Entry], path: str) -> Entry | None:
    """Whose page it is: the entry with the longest address that the page's begins with; the dashboard is alone."""
    index = reverse("admin:index")
    paths = {entry: urlsplit(entry.url).path for entry in entries}
    own = [entry for entry, start in paths.items() if path == start or (start != index and path.startswith(start))]
    return max(own, key=lambda entry: len(paths[entry]), default=None)


def format_count(number: int, *, most: int, one: str, many: str) -> Badge | None:
    """A badge for a number that was counted no further than `most`; none for nothing.

    `counted(3, most=100, one="session waits", many="sessions wait")` is read "3 sessions wait".
    """
    if not number:
        return None
    if number >= most:
        return Badge(text=f"{most - 1}+", words=f"more than {most - 1} {many}")
    return Badge(text=str(number), words=f"{number} {one if number == 1 else many}")


def _build_item(entry: Entry, *, is_current: bool) -> dict[str, Any]:
    item: dict[str, Any] = {
        "title": entry.title,
        "icon": entry.icon,
        "link": entry.url,
        "active": is_current,
    }
    if entry.badge is not None and (badge := entry.badge()) is not None:
        # Unfold shows the one where the other is set.
        item |= {"badge": True, "badge_callback": _read_aloud(badge), "badge_variant": "primary"}
    return item


def _read_aloud(badge: Badge) -> SafeString:
    return format_html(
        '<span aria-hidden="true">{}</span><span class="portal-spoken">{}</span>', badge.text, badge.words
    )
