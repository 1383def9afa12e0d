"""The entries of notifications in the portal's sidebar."""

from core.facts import answers
from core.portal.navigation import Entry, NavigationAsked, Section


@answers(NavigationAsked)
def list_entries(_question: NavigationAsked) -> list[Entry]:
    return [
        Entry.for_list(Section.RECORDS, "notifications.notification", "Notifications", icon="notifications", rank=30),
        Entry.for_list(Section.SETTINGS, "notifications.preference", "Preferences", icon="tune", rank=40),
    ]
