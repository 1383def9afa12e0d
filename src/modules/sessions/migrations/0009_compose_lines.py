import unicodedata
from typing import Any

from django.db import migrations

LONGEST = {"title": 200, "subject": 100}

# The rules of `core.text.normalization` as they were when this migration was written.
BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000\u180e\u200b\u2060\ufeff\u2800\u3164\uffa0"
)


def compose_text(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def compose(apps: Any, schema_editor: Any) -> None:
    """Titles and subjects as they are read from now on: a client that sends one back changes nothing."""
    sessions = apps.get_model("learning_sessions", "Session").objects.using(schema_editor.connection.alias)
    for session in sessions.only("pk", *LONGEST, "subject_key").order_by("pk").iterator(chunk_size=1000):
        values = {name: compose_text(getattr(session, name).strip(BLANKS)) for name in LONGEST}
        values = {name: value for name, value in values.items() if 0 < len(value) <= LONGEST[name]}
        values["subject_key"] = compose_text(compose_text(values.get("subject", session.subject)).casefold())
        changed = {name: value for name, value in values.items() if value != getattr(session, name)}
        if changed:
            sessions.filter(pk=session.pk).update(**changed)


class Migration(migrations.Migration):
    dependencies = [("learning_sessions", "0008_statistics")]

    operations = [migrations.RunPython(compose, migrations.RunPython.noop)]
