"""The sidebar, filled by core and the modules with entries that depend on permissions."""

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
    """A number beside an entry, and the text for screen readers in its place."""

    text: str
    spoken: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line of the sidebar. It is marked as current on its `url` and on all URLs below it.

    It is shown to members with the permission (`app.action_model`, "" for all staff), sorted by `rank`. `icon` is a
    name of Material Symbols. `badge` is called for every page, and may make one query at most.
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
        """Build the entry of a model's list (`app_label.model`), for members who may view it."""
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
    """Which entries does the sidebar have? Permissions are checked by the asker."""

    def default(self) -> list[Entry]:
        return []


def list_navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Build the sidebar (unfold's SIDEBAR)."""
    all_entries = [entry for answer in NavigationAsked().ask_all() for entry in answer]
    entries = sorted(
        (entry for entry in all_entries if not entry.permission or request.user.has_perm(entry.permission)),
        key=lambda entry: (entry.rank, entry.title),
    )
    current = find_current_entry(entries, request.path)
    sections = {section: [entry for entry in entries if entry.section == section] for section in Section}
    return [
        {"title": section.value, "items": [_build_item(entry, is_current=entry is current) for entry in in_section]}
        for section, in_section in sections.items()
        if in_section
    ]


def find_current_entry(entries: Iterable[Entry], path: str) -> Entry | None:
    """Return the entry with the longest URL that the path begins with; the dashboard's has to match exactly."""
    index = reverse("admin:index")
    paths = {entry: urlsplit(entry.url).path for entry in entries}
    matching = [entry for entry, start in paths.items() if path == start or (start != index and path.startswith(start))]
    return max(matching, key=lambda entry: len(paths[entry]), default=None)


def format_count(number: int, *, limit: int, one: str, many: str) -> Badge | None:
    """Build a badge for a number that was counted up to `limit`; none for zero.

    `format_count(3, limit=100, one="session waits", many="sessions wait")` is spoken "3 sessions wait".
    """
    if not number:
        return None
    if number >= limit:
        return Badge(text=f"{limit - 1}+", spoken=f"more than {limit - 1} {many}")
    return Badge(text=str(number), spoken=f"{number} {one if number == 1 else many}")


def _build_item(entry: Entry, *, is_current: bool) -> dict[str, Any]:
    item: dict[str, Any] = {
        "title": entry.title,
        "icon": entry.icon,
        "link": entry.url,
        "active": is_current,
    }
    if entry.badge is not None and (badge := entry.badge()) is not None:
        # Unfold shows `badge_callback` if `badge` is set.
        item |= {"badge": True, "badge_callback": _render_badge(badge), "badge_variant": "primary"}
    return item


def _render_badge(badge: Badge) -> SafeString:
    return format_html(
        '<span aria-hidden="true">{}</span><span class="portal-spoken">{}</span>', badge.text, badge.spoken
    )
