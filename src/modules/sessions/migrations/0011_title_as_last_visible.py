from typing import Any

from django.db import migrations, models

HIDDEN = "sessions.SessionHidden"


def fill(apps: Any, schema_editor: Any) -> None:
    """What sessions that are hidden now were called when they were hidden, as the record has it."""
    sessions = apps.get_model("learning_sessions", "Session").objects.using(schema_editor.connection.alias)
    facts = apps.get_model("core", "FactRecord").objects.using(schema_editor.connection.alias)
    for session in sessions.exclude(hidden_at=None).only("title").iterator(chunk_size=500):
        record = facts.filter(name=HIDDEN, session_id=session.pk).order_by("-pk").first()
        title = (record.payload.get("title") if record else "") or session.title
        sessions.filter(pk=session.pk).update(visible_title=title)


class Migration(migrations.Migration):
    dependencies = [("learning_sessions", "0010_limits"), ("core", "0005_moderators")]

    operations = [
        migrations.AddField(
            model_name="session",
            name="visible_title",
            field=models.CharField(blank=True, default="", editable=False, max_length=200),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
