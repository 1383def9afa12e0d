from django.db import migrations, models

KINDS = [
    "booking_request",
    "booking_decision",
    "seat_left",
    "session_decision",
    "session_rescheduled",
    "session_cancelled",
    "material_added",
    "material_removed",
    "reminder",
    "moderation_digest",
]
KIND_CHOICES = [
    ("booking_request", "Requests to join a session of yours"),
    ("booking_decision", "Decisions on your requests to join"),
    ("seat_left", "Participants who leave a session of yours"),
    ("session_decision", "Moderators' decisions on your sessions"),
    ("session_rescheduled", "New times of your sessions"),
    ("session_cancelled", "Sessions of yours that do not take place"),
    ("material_added", "New materials in your sessions"),
    ("material_removed", "Materials of yours that somebody removed"),
    ("reminder", "Reminders before your sessions start"),
    ("moderation_digest", "Sessions that wait for a moderator"),
]


class Migration(migrations.Migration):
    dependencies = [("notifications", "0004_guard_preferences")]

    operations = [
        migrations.RemoveConstraint(model_name="notification", name="known_notification_kind"),
        migrations.RemoveConstraint(model_name="preference", name="known_preference_kind"),
        migrations.AlterField(
            model_name="notification",
            name="kind",
            field=models.CharField(choices=KIND_CHOICES, max_length=20),
        ),
        migrations.AlterField(
            model_name="preference",
            name="kind",
            field=models.CharField(choices=KIND_CHOICES, max_length=20),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.CheckConstraint(condition=models.Q(("kind__in", KINDS)), name="known_notification_kind"),
        ),
        migrations.AddConstraint(
            model_name="preference",
            constraint=models.CheckConstraint(condition=models.Q(("kind__in", KINDS)), name="known_preference_kind"),
        ),
    ]
