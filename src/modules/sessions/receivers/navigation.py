"""What the sidebar of the portal has of the sessions."""

from django.urls import reverse

from core.facts import answers
from core.portal.navigation import Badge, Entry, NavigationAsked, Section, counted
from modules.sessions.queries.tabs import WAITING, count_rows

MOST_COUNTED = 100


@answers(NavigationAsked)
def entries_of_sessions(_question: NavigationAsked) -> list[Entry]:
    return [
        Entry(
            section=Section.MODERATION,
            title="Queue",
            url=_get_list_url("session"),
            icon="pending_actions",
            permission="learning_sessions.view_session",
            rank=10,
            badge=count_waiting_badge,
        ),
        Entry(
            section=Section.MODERATION,
            title="Booking requests",
            url=_get_list_url("bookingrequest"),
            icon="how_to_reg",
            permission="learning_sessions.view_bookingrequest",
            rank=20,
        ),
        Entry(
            section=Section.RECORDS,
            title="Reminders",
            url=_get_list_url("reminder"),
            icon="alarm",
            permission="learning_sessions.view_reminder",
            rank=50,
        ),
        Entry(
            section=Section.SETTINGS,
            title="Reason templates",
            url=_get_list_url("reasontemplate"),
            icon="quickreply",
            permission="learning_sessions.view_reasontemplate",
            rank=10,
        ),
        Entry(
            section=Section.SETTINGS,
            title="Calendar feeds",
            url=_get_list_url("calendarfeed"),
            icon="calendar_month",
            permission="learning_sessions.view_calendarfeed",
            rank=30,
        ),
    ]


def count_waiting_badge() -> Badge | None:
    waiting = count_rows(WAITING, MOST_COUNTED)
    return counted(waiting, most=MOST_COUNTED, one="session waits", many="sessions wait")


def _get_list_url(model: str) -> str:
    return reverse(f"admin:learning_sessions_{model}_changelist")
