from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0002_mail_topics_and_sweeps"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(fields=["kind", "-id"], name="mail_by_kind"),
        ),
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(condition=models.Q(("status", "queued")), fields=["next_try_at"], name="mail_untried"),
        ),
    ]
