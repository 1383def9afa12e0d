import uuid
from datetime import timedelta
from typing import Any

from django.db import migrations
from django.db.models import F

from core.time import clock

OPEN = ["approved", "scheduled"]
DAY = timedelta(hours=24)


def fill(apps: Any, _schema_editor: Any) -> None:
    """What sessions that exist already carry from now on."""
    sessions = apps.get_model("learning_sessions", "Session").objects
    sessions.filter(status__in=["pending_approval", *OPEN]).update(moves_at=F("date"))
    sessions.filter(status="ongoing").update(moves_at=F("ends_at"))
    sessions.filter(status__in=OPEN, date__gt=clock.now() + DAY).update(nudge_due_at=F("date") - DAY)
    # Where this has run before, calendar programs know the sessions already.
    rows = sessions.filter(calendar_uid=None).only("pk").order_by("pk")
    while batch := list(rows[:1000]):
        for session in batch:
            session.calendar_uid = uuid.uuid4()
        sessions.bulk_update(batch, ["calendar_uid"])


class Migration(migrations.Migration):
    dependencies = [("learning_sessions", "0003_clock_and_calendar")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
