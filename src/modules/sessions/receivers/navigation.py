"""The entries of the sessions in the portal's sidebar."""

from collections.abc import Callable

from django.urls import reverse

from core.facts import answers
from core.portal.navigation import Badge, Entry, NavigationAsked, Section, format_count
from modules.sessions.queries.tabs import WAITING, count_rows

MOST_COUNTED = 100


@answers(NavigationAsked)
def entries_of_sessions(_question: NavigationAsked) -> list[Entry]:
    return [
        _build_entry(
            Section.MODERATION, "session", "Queue", icon="pending_actions", rank=10, badge=count_waiting_badge
        ),
        _build_entry(Section.MODERATION, "bookingrequest", "Booking requests", icon="how_to_reg", rank=20),
        _build_entry(Section.RECORDS, "reminder", "Reminders", icon="alarm", rank=50),
        _build_entry(Section.SETTINGS, "reasontemplate", "Reason templates", icon="quickreply", rank=10),
        _build_entry(Section.SETTINGS, "calendarfeed", "Calendar feeds", icon="calendar_month", rank=30),
    ]


def count_waiting_badge() -> Badge | None:
    """The number of sessions that wait for approval, counted up to `MOST_COUNTED`."""
    waiting = count_rows(WAITING, MOST_COUNTED)
    return format_count(waiting, most=MOST_COUNTED, one="session waits", many="sessions wait")


def _build_entry(
    section: Section,
    model: str,
    title: str,
    *,
    icon: str,
    rank: int,
    badge: Callable[[], Badge | None] | None = None,
) -> Entry:
    """The link to the list of a model, for those who may view it."""
    return Entry(
        section=section,
        title=title,
        url=reverse(f"admin:learning_sessions_{model}_changelist"),
        icon=icon,
        permission=f"learning_sessions.view_{model}",
        rank=rank,
        badge=badge,
    )
