"""The list of sessions in the portal: tabs, filters and columns."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateformat import time_format
from django.utils.html import format_html
from django.utils.text import Truncator

from core.portal.paging import UncountedChangeList
from core.portal.times import format_local, render_instant
from core.time import clock
from core.time.durations import format_duration
from modules.sessions.models import Session
from modules.sessions.queries.evidence import find_clashes, load_creator_histories, load_leases
from modules.sessions.queries.tabs import STARTING_SOON, TABS, WAITING, Tab, find_tab
from modules.sessions.states import Status

TAB = "tab"
# Lookups that links on other pages use, with their labels.
LINK_LOOKUPS = {
    "date__gte": "starts from",
    "date__lt": "starts before",
    "decided_at__gte": "decided since",
    "subject_key": "the subject",
    "creator__id__exact": "the creator number",
}
COLUMNS_TO_DECIDE = ("title", "creator_name", "creator_history", "subject", "start", "waiting", "overlaps", "in_hand")
ALL_COLUMNS = ("title", "creator_name", "subject", "start", "state", "places", "offered")


class StartFilter(admin.SimpleListFilter):
    """Filters by the start, in days of the viewer's time zone."""

    title = "start"
    parameter_name = "start"
    DAYS = {"today": 1, "week": 7, "month": 30}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("today", "Today"),
            ("week", "Today and the six days after"),
            ("month", "Within 30 days"),
            ("past", "Before today"),
        ]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Session]") -> "QuerySet[Session]":
        today = timezone.localtime(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
        if self.value() == "past":
            return queryset.filter(date__lt=today)
        days = self.DAYS.get(self.value() or "")
        # Local days, of 23 to 25 hours.
        return queryset.filter(date__gte=today, date__lt=today + timedelta(days=days)) if days else queryset


class SessionChangeList(UncountedChangeList):
    """Shows the rows of the tab in the URL."""

    tab: Tab

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.tab = find_tab(request.GET.get(TAB))
        super().__init__(request, *args, **kwargs)

    def get_filters_params(self, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return {name: value for name, value in super().get_filters_params(params).items() if name != TAB}

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> "QuerySet[Session]":
        rows: QuerySet[Session] = super().get_queryset(request, exclude_parameters)
        return rows.filter(self.tab.rows(clock.now()))

    @property
    def tabs(self) -> list[dict[str, Any]]:
        """The context of the tabs; their links keep the search."""
        return [
            {
                "title": tab.title,
                "url": self.get_query_string({TAB: tab.key}, remove=["p", "o", "status"]),
                "is_current": tab is self.tab,
            }
            for tab in TABS.values()
        ]

    @property
    def link_filters(self) -> str:
        """A description of the filters that were set by a link."""
        given = {name: self.params[name] for name in LINK_LOOKUPS if name in self.params}
        return ", ".join(f"{LINK_LOOKUPS[name]} {_format_value(value)}" for name, value in given.items())

    @property
    def unlinked_url(self) -> str:
        """The URL of the list without these filters."""
        return str(self.get_query_string(dict.fromkeys(LINK_LOOKUPS)))


def _format_value(value: str) -> str:
    """Format an instant in the viewer's time zone; return anything else unchanged."""
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return value
    return format_local(instant) if instant.tzinfo else value


class SessionColumns:
    """The columns of the list."""

    list_display_links = ("title",)
    exported_columns: ClassVar[Mapping[str, tuple[str, ...]]] = {"start": ("date",), "offered": ("created_at",)}

    def prepare_rows(self, rows: list[Any]) -> None:
        histories = load_creator_histories(row.creator_id for row in rows)
        clashes = find_clashes([row for row in rows if row.status == Status.PENDING_APPROVAL])
        leases = load_leases((row.pk for row in rows), clock.now())
        for row in rows:
            row.history = histories[row.creator_id]
            row.clashes = clashes.get(row.pk, [])
            row.current_lease = leases.get(row.pk)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return COLUMNS_TO_DECIDE if find_tab(request.GET.get(TAB)) in {WAITING, STARTING_SOON} else ALL_COLUMNS

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return find_tab(request.GET.get(TAB)).ordering

    def action_checkbox(self, session: Session) -> str:
        """Render the checkbox, with the content version of the row for the dialog for decisions."""
        box: str = super().action_checkbox(session)  # type: ignore[misc]
        return format_html(
            '{}<span hidden data-row-values="version_{}={}"></span>', box, session.pk, session.content_version
        )

    @admin.display(description="creator", ordering="creator__username")
    def creator_name(self, session: Session) -> str:
        return session.creator.display_name

    @admin.display(description="creator's history")
    def creator_history(self, session: Any) -> str:
        history = session.history
        parts = [f"{count} {word}" for word, count in asdict(history).items() if count]
        return ", ".join(parts) or "none yet"

    @admin.display(description="start", ordering="date")
    def start(self, session: Session) -> str:
        return render_instant(session.date)

    @admin.display(description="waiting for", ordering="created_at")
    def waiting(self, session: Session) -> str:
        return format_duration(clock.now() - session.created_at)

    @admin.display(description="overlaps")
    def overlaps(self, session: Any) -> str:
        if not session.clashes:
            return "none"
        first = session.clashes[0].session
        others = f" and {len(session.clashes) - 1} more" if len(session.clashes) > 1 else ""
        return format_html('<span class="portal-error">{}{}</span>', Truncator(first.title).chars(40), others)

    @admin.display(description="in hand")
    def in_hand(self, session: Any) -> str:
        lease = session.current_lease
        if lease is None:
            return ""
        return f"{lease.holder.display_name}, until {time_format(timezone.localtime(lease.ends_at), 'H:i')}"

    @admin.display(description="status", ordering="status")
    def state(self, session: Session) -> str:
        marks = ["edited since approval"] if session.second_look_since else []
        marks += ["hidden"] if session.hidden_at else []
        return ", ".join([Status(session.status).label, *marks])

    @admin.display(description="places")
    def places(self, session: Session) -> str:
        return f"{session.participant_count} of {session.max_participants}"

    @admin.display(description="offered", ordering="created_at")
    def offered(self, session: Session) -> str:
        return render_instant(session.created_at)
