"""The tabs of the portal's list of sessions, with their filters and orderings."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from core.time import clock
from modules.sessions.models import Session
from modules.sessions.policy import Viewer, can_moderate_sessions_of
from modules.sessions.states import NOT_TAKING_PLACE, Status

SOON = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Tab:
    """A tab of the list.

    `key` is its name in the URL (`?tab=soon`). `rows` returns the filter for an instant. `is_decided_on` says whether
    sessions that wait for approval can be among the rows.
    """

    key: str
    title: str
    rows: Callable[[datetime], Q]
    ordering: tuple[str, ...]
    is_decided_on: bool = True


def _waiting(now: datetime) -> Q:
    """Build the filter for sessions that a moderator can still decide on: after their start, they only expire."""
    return Q(status=Status.PENDING_APPROVAL, date__gt=now)


EARLIEST_FIRST = ("date", "pk")
LATEST_FIRST = ("-date", "-pk")

WAITING = Tab(key="waiting", title="Waiting", rows=_waiting, ordering=EARLIEST_FIRST)
STARTING_SOON = Tab(
    key="soon",
    title="Starting within 24 hours",
    rows=lambda now: _waiting(now) & Q(date__lte=now + SOON),
    ordering=EARLIEST_FIRST,
)
EDITED = Tab(
    key="edited",
    title="Edited since approval",
    # Sessions that do not take place need no second look.
    rows=lambda now: Q(second_look_since__isnull=False) & ~Q(status__in=sorted(NOT_TAKING_PLACE)),
    ordering=("second_look_since", "pk"),
    is_decided_on=False,
)
CANCELLED = Tab(
    key="cancelled",
    title="Cancelled",
    rows=lambda now: Q(status=Status.CANCELLED),
    ordering=LATEST_FIRST,
    is_decided_on=False,
)
ALL = Tab(key="all", title="All", rows=lambda now: Q(), ordering=LATEST_FIRST)

TABS = {tab.key: tab for tab in (WAITING, STARTING_SOON, EDITED, CANCELLED, ALL)}


def find_tab(key: str | None) -> Tab:
    """Return the tab with this key, or the first one."""
    return TABS.get(key or "", WAITING)


def count_rows(tab: Tab, limit: int) -> int:
    """Count the rows of a tab, up to `limit`, which bounds the cost."""
    return Session.objects.filter(tab.rows(clock.now()))[:limit].count()


def find_next_waiting(session: Session, viewer: Viewer) -> Session | None:
    """Find the next session by start on which this moderator can decide, wrapping around; `None` if there is none."""
    others = Session.objects.filter(WAITING.rows(clock.now())).exclude(pk=session.pk).order_by(*EARLIEST_FIRST)
    if not can_moderate_sessions_of(viewer.id, viewer):
        others = others.exclude(creator=viewer.id)
    later = Q(date__gt=session.date) | Q(date=session.date, pk__gt=session.pk)
    return others.filter(later).first() or others.first()
