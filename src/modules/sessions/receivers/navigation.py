"""What the sidebar of the portal has of the sessions."""

from django.urls import reverse

from core.facts import answers
from core.portal.navigation import Badge, Entry, NavigationAsked, Section, counted
from modules.sessions.queries.queue import WAITING, count_up_to

MOST_COUNTED = 100


@answers(NavigationAsked)
def entries_of_sessions(_question: NavigationAsked) -> list[Entry]:
    return [
        Entry(
            section=Section.MODERATION,
            title="Queue",
            url=_list_of("session"),
            icon="pending_actions",
            permission="learning_sessions.view_session",
            rank=10,
            badge=number_waiting,
        ),
        Entry(
            section=Section.MODERATION,
            title="Booking requests",
            url=_list_of("bookingrequest"),
            icon="how_to_reg",
            permission="learning_sessions.view_bookingrequest",
            rank=20,
        ),
        Entry(
            section=Section.RECORDS,
            title="Reminders",
            url=_list_of("reminder"),
            icon="alarm",
            permission="learning_sessions.view_reminder",
            rank=50,
        ),
        Entry(
            section=Section.SETTINGS,
            title="Reason templates",
            url=_list_of("reasontemplate"),
            icon="quickreply",
            permission="learning_sessions.view_reasontemplate",
            rank=10,
        ),
        Entry(
            section=Section.SETTINGS,
            title="Calendar feeds",
            url=_list_of("calendarfeed"),
            icon="calendar_month",
            permission="learning_sessions.view_calendarfeed",
            rank=30,
        ),
    ]


def number_waiting() -> Badge | None:
    waiting = count_up_to(WAITING, MOST_COUNTED)
    return counted(waiting, most=MOST_COUNTED, one="session waits", many="sessions wait")


def _list_of(model: str) -> str:
    return reverse(f"admin:learning_sessions_{model}_changelist")
