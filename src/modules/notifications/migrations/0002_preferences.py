import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

KIND_CHOICES = [
    ("booking_request", "Requests to join a session of yours"),
    ("booking_decision", "Decisions on your requests to join"),
    ("seat_left", "Participants who leave a session of yours"),
    ("session_decision", "Moderators' decisions on your sessions"),
    ("session_rescheduled", "New times of your sessions"),
    ("session_cancelled", "Sessions of yours that do not take place"),
    ("material_added", "New materials in your sessions"),
    ("reminder", "Reminders before your sessions start"),
    ("moderation_digest", "Sessions that wait for a moderator"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0002_mail_topics_and_sweeps"),
        ("notifications", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Preference",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=KIND_CHOICES, max_length=20)),
                ("in_app", models.BooleanField()),
                ("mail", models.BooleanField()),
                ("changed_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notification_preferences",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.RemoveIndex(
            model_name="notification",
            name="notification_newest",
        ),
        migrations.RemoveIndex(
            model_name="notification",
            name="notification_unread",
        ),
        migrations.AddField(
            model_name="notification",
            name="by_mail",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="notification",
            name="chosen",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="notification",
            name="in_app",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="notification",
            name="kind",
            field=models.CharField(choices=KIND_CHOICES, default="reminder", max_length=20),
        ),
    ]
