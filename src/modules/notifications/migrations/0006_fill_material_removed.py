from typing import Any

from django.db import migrations


def fill(apps: Any, _schema_editor: Any) -> None:
    """What was told of a removed material, and went back to an older kind meanwhile."""
    notifications = apps.get_model("notifications", "Notification").objects
    notifications.filter(fact__name="materials.MaterialRemoved").update(kind="material_removed")


def empty(apps: Any, _schema_editor: Any) -> None:
    """The constraint that comes back does not know the kind."""
    notifications = apps.get_model("notifications", "Notification").objects
    notifications.filter(kind="material_removed").update(kind="material_added")
    apps.get_model("notifications", "Preference").objects.filter(kind="material_removed").delete()


class Migration(migrations.Migration):
    dependencies = [("notifications", "0005_material_removed")]

    operations = [migrations.RunPython(fill, empty)]
