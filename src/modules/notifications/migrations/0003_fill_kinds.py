from typing import Any

from django.db import migrations

# What was told before there were kinds, or before somebody migrated backwards, by the fact that it was told for.
KINDS = {
    "booking_request": ["BookingRequested", "RequestsUndecided"],
    "booking_decision": ["BookingRequestApproved", "BookingRequestRejected", "ParticipantRemoved", "SessionStarted"],
    "seat_left": ["SeatLeft"],
    "session_decision": ["SessionApproved", "SessionRejected"],
    "session_rescheduled": ["SessionRescheduled"],
    "session_cancelled": ["SessionCancelled", "SessionExpired", "SessionDeleted"],
    "moderation_digest": ["SessionsWaiting"],
}


def fill(apps: Any, _schema_editor: Any) -> None:
    notifications = apps.get_model("notifications", "Notification").objects
    for kind, facts in KINDS.items():
        notifications.filter(fact__name__in=[f"sessions.{fact}" for fact in facts]).update(kind=kind)
    notifications.filter(fact__name="materials.MaterialAdded").update(kind="material_added")


class Migration(migrations.Migration):
    dependencies = [("notifications", "0002_preferences")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
