"""What the sidebar of the portal has of the notifications."""

from django.urls import reverse

from core.facts import answers
from core.portal.navigation import Entry, NavigationAsked, Section


@answers(NavigationAsked)
def list_entries(_question: NavigationAsked) -> list[Entry]:
    return [
        Entry(
            section=Section.RECORDS,
            title="Notifications",
            url=reverse("admin:notifications_notification_changelist"),
            icon="notifications",
            permission="notifications.view_notification",
            rank=30,
        ),
        Entry(
            section=Section.SETTINGS,
            title="Preferences",
            url=reverse("admin:notifications_preference_changelist"),
            icon="tune",
            permission="notifications.view_preference",
            rank=40,
        ),
    ]
