from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("learning_sessions", "0007_reason_templates")]

    operations = [
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                condition=models.Q(("status", "pending_approval")),
                fields=["created_at"],
                name="session_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                condition=models.Q(("decided_at__isnull", False)),
                fields=["decided_at", "created_at"],
                name="session_by_decision",
            ),
        ),
    ]
