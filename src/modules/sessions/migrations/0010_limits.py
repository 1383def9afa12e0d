from typing import Any

from django.db import migrations, models
from django.db.models import Count, OuterRef, Subquery


def count(apps: Any, _schema_editor: Any) -> None:
    """How many wait for an answer from now on stands on the session."""
    waiting = apps.get_model("learning_sessions", "BookingRequest").objects.filter(status="pending")
    counted = waiting.filter(session=OuterRef("pk")).order_by().values("session").annotate(count=Count("pk"))
    sessions = apps.get_model("learning_sessions", "Session").objects.filter(pk__in=waiting.values("session"))
    sessions.update(waiting_count=Subquery(counted.values("count")))


class Migration(migrations.Migration):
    dependencies = [("learning_sessions", "0009_compose_lines")]

    operations = [
        migrations.AddField(
            model_name="bookingrequest",
            name="is_waiting",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.ExpressionWrapper(
                    models.Q(("status", "pending")), output_field=models.BooleanField()
                ),
                output_field=models.BooleanField(),
            ),
        ),
        migrations.AddField(
            model_name="session",
            name="waiting_count",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddIndex(
            model_name="bookingrequest",
            index=models.Index(
                fields=["session", "-is_waiting", "-requested_at", "-id"],
                name="request_waiting_first",
            ),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                condition=models.Q(("moves_at__isnull", False)),
                fields=["creator"],
                name="session_open_of_creator",
            ),
        ),
        migrations.RunPython(count, migrations.RunPython.noop),
    ]
