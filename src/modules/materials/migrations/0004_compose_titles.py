from typing import Any

from django.db import migrations

from core.text.normalization import normalize_line


def compose(apps: Any, schema_editor: Any) -> None:
    """Titles as they are read from now on: a client that sends one back changes nothing."""
    materials = apps.get_model("materials", "Material").objects.using(schema_editor.connection.alias)
    for material in materials.only("pk", "title").order_by("pk").iterator(chunk_size=1000):
        title = normalize_line(material.title)
        if title != material.title and 0 < len(title) <= 200:
            materials.filter(pk=material.pk).update(title=title)


class Migration(migrations.Migration):
    dependencies = [("materials", "0003_places")]

    operations = [migrations.RunPython(compose, migrations.RunPython.noop)]
