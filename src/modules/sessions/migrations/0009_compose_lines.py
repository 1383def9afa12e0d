from typing import Any

from django.db import migrations

from core.text.normalization import build_search_key, normalize_line

LONGEST = {"title": 200, "subject": 100}


def compose(apps: Any, schema_editor: Any) -> None:
    """Titles and subjects as they are read from now on: a client that sends one back changes nothing."""
    sessions = apps.get_model("learning_sessions", "Session").objects.using(schema_editor.connection.alias)
    for session in sessions.only("pk", *LONGEST, "subject_key").order_by("pk").iterator(chunk_size=1000):
        values = {name: normalize_line(getattr(session, name)) for name in LONGEST}
        values = {name: value for name, value in values.items() if 0 < len(value) <= LONGEST[name]}
        values["subject_key"] = build_search_key(values.get("subject", session.subject))
        changed = {name: value for name, value in values.items() if value != getattr(session, name)}
        if changed:
            sessions.filter(pk=session.pk).update(**changed)


class Migration(migrations.Migration):
    dependencies = [("learning_sessions", "0008_statistics")]

    operations = [migrations.RunPython(compose, migrations.RunPython.noop)]
