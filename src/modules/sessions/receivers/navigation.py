"""The entries of sessions in the portal's sidebar."""

from core.facts import answers
from core.portal.navigation import Badge, Entry, NavigationAsked, Section, format_count
from modules.sessions.queries.tabs import WAITING, count_rows

APP = "learning_sessions"
MAX_COUNTED = 100


@answers(NavigationAsked)
def list_entries(_question: NavigationAsked) -> list[Entry]:
    return [
        Entry.for_list(
            Section.MODERATION, f"{APP}.session", "Queue", icon="pending_actions", rank=10, badge=count_waiting_badge
        ),
        Entry.for_list(Section.MODERATION, f"{APP}.bookingrequest", "Booking requests", icon="how_to_reg", rank=20),
        Entry.for_list(Section.RECORDS, f"{APP}.reminder", "Reminders", icon="alarm", rank=50),
        Entry.for_list(Section.SETTINGS, f"{APP}.reasontemplate", "Reason templates", icon="quickreply", rank=10),
        Entry.for_list(Section.SETTINGS, f"{APP}.calendarfeed", "Calendar feeds", icon="calendar_month", rank=30),
    ]


def count_waiting_badge() -> Badge | None:
    """Count the sessions that wait for approval, up to `MAX_COUNTED`."""
    waiting = count_rows(WAITING, MAX_COUNTED)
    return format_count(waiting, limit=MAX_COUNTED, one="session waits", many="sessions wait")
