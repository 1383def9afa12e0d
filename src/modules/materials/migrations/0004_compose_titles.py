import unicodedata
from typing import Any

from django.db import migrations

# The rules of `core.text.normalization` as they were when this migration was written.
BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000\u180e\u200b\u2060\ufeff\u2800\u3164\uffa0"
)


def compose(apps: Any, schema_editor: Any) -> None:
    """Titles as they are read from now on: a client that sends one back changes nothing."""
    materials = apps.get_model("materials", "Material").objects.using(schema_editor.connection.alias)
    for material in materials.only("pk", "title").order_by("pk").iterator(chunk_size=1000):
        title = unicodedata.normalize("NFC", material.title.strip(BLANKS))
        if title != material.title and 0 < len(title) <= 200:
            materials.filter(pk=material.pk).update(title=title)


class Migration(migrations.Migration):
    dependencies = [("materials", "0003_places")]

    operations = [migrations.RunPython(compose, migrations.RunPython.noop)]
