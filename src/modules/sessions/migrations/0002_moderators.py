"""The group whose members moderate."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# What a moderator reads in the admin, and the permission that makes one.
PERMISSIONS = {
    "session": ["moderate_session", "view_session"],
    "bookingrequest": ["view_bookingrequest"],
}
NAMES = {
    "moderate_session": "Can approve, reject, cancel and hide sessions",
    "view_session": "Can view session",
    "view_bookingrequest": "Can view booking request",
}


def make_group(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    # Django makes permissions after all migrations: too late for a group that shall have them.
    content_types = apps.get_model("contenttypes", "ContentType")
    permissions = apps.get_model("auth", "Permission")
    group, _ = apps.get_model("auth", "Group").objects.get_or_create(name="Moderators")
    for model, codenames in PERMISSIONS.items():
        content_type, _ = content_types.objects.get_or_create(app_label="learning_sessions", model=model)
        for codename in codenames:
            permission, _ = permissions.objects.get_or_create(
                content_type=content_type, codename=codename, defaults={"name": NAMES[codename]}
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("learning_sessions", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_group, migrations.RunPython.noop)]
