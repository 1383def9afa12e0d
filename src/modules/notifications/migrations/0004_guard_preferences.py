import django.db.models.deletion
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
    dependencies = [("notifications", "0003_fill_kinds")]

    operations = [
        migrations.AlterField(
            model_name="notification",
            name="kind",
            field=models.CharField(choices=KIND_CHOICES, max_length=20),
        ),
        migrations.AddField(
            model_name="notification",
            name="mail",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="core.mail"
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("in_app", True)), fields=["user", "-id"], name="notification_newest"
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("in_app", True), ("read_at__isnull", True)),
                fields=["user", "-id"],
                name="notification_unread",
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(fields=["user", "session_id"], name="notification_of_user"),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "booking_request",
                            "booking_decision",
                            "seat_left",
                            "session_decision",
                            "session_rescheduled",
                            "session_cancelled",
                            "material_added",
                            "reminder",
                            "moderation_digest",
                        ],
                    )
                ),
                name="known_notification_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="preference",
            constraint=models.UniqueConstraint(fields=("user", "kind"), name="one_preference_a_kind"),
        ),
        migrations.AddConstraint(
            model_name="preference",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "booking_request",
                            "booking_decision",
                            "seat_left",
                            "session_decision",
                            "session_rescheduled",
                            "session_cancelled",
                            "material_added",
                            "reminder",
                            "moderation_digest",
                        ],
                    )
                ),
                name="known_preference_kind",
            ),
        ),
    ]
