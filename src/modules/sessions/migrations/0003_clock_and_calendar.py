import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.time.clock


class Migration(migrations.Migration):
    dependencies = [
        ("learning_sessions", "0002_moderators"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CalendarFeed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(editable=False, max_length=43, unique=True)),
                ("created_at", models.DateTimeField(default=core.time.clock.now)),
                ("last_used_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="calendar_feed",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.RemoveIndex(
            model_name="session",
            name="session_running",
        ),
        migrations.AddField(
            model_name="session",
            name="calendar_sequence",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="session",
            name="calendar_uid",
            field=models.UUIDField(null=True, editable=False),
        ),
        migrations.AddField(
            model_name="session",
            name="moves_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="session",
            name="nudge_due_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
