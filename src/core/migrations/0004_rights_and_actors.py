import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_mail_indexes"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="user",
            options={
                "permissions": [("deactivate_user", "Can deactivate and reactivate members")],
                "verbose_name": "member",
            },
        ),
        migrations.AddIndex(
            model_name="factrecord",
            index=models.Index(fields=["actor", "id"], name="fact_by_actor"),
        ),
        migrations.AlterField(
            model_name="factrecord",
            name="actor",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
