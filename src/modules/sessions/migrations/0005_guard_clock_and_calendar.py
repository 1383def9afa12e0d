import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("learning_sessions", "0004_fill_clock_and_calendar")]

    operations = [
        migrations.AlterField(
            model_name="session",
            name="calendar_uid",
            field=models.UUIDField(default=uuid.uuid4, unique=True, editable=False),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                condition=models.Q(("moves_at__isnull", False)), fields=["moves_at"], name="session_moves"
            ),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                condition=models.Q(("nudge_due_at__isnull", False)), fields=["nudge_due_at"], name="session_nudge"
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("moves_at__isnull", True), ("status__in", ["cancelled", "completed", "expired"])),
                    models.Q(
                        models.Q(("status__in", ["cancelled", "completed", "expired"]), _negated=True),
                        ("moves_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="session_moves_until_final",
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["approved", "scheduled"]),
                    models.Q(("nudge_due_at__isnull", True), ("reminder_due_at__isnull", True)),
                    _connector="OR",
                ),
                name="session_reminds_while_open",
            ),
        ),
    ]
