"""The group of moderators, created by migrations, and the permissions that each app grants it."""

from collections.abc import Callable, Mapping

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

MODERATORS = "Moderators"
# The codename by which groups of moderators are found after they were renamed.
MODERATE_CODENAME = "moderate_session"

# Codename and name of each permission of one app, by the name of its model.
Permissions = Mapping[str, Mapping[str, str]]
MigrationStep = Callable[[StateApps, BaseDatabaseSchemaEditor], None]


def give_to_moderators(app_label: str, permissions: Permissions) -> MigrationStep:
    """Build a `RunPython` step that grants permissions of an app to the group *Moderators*.

    If it was renamed, they are granted to all groups with `MODERATE_CODENAME`. Django creates permissions only after
    all migrations: missing ones are created here, and so is the group.
    """

    def grant(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
        content_types = apps.get_model("contenttypes", "ContentType")
        all_permissions = apps.get_model("auth", "Permission")
        all_groups = apps.get_model("auth", "Group").objects
        groups = (
            all_groups.filter(name=MODERATORS)
            or all_groups.filter(permissions__codename=MODERATE_CODENAME).distinct()
            or [all_groups.create(name=MODERATORS)]
        )
        for model, names in permissions.items():
            content_type, _ = content_types.objects.get_or_create(app_label=app_label, model=model)
            for codename, name in names.items():
                permission, _ = all_permissions.objects.get_or_create(
                    content_type=content_type, codename=codename, defaults={"name": name}
                )
                for group in groups:
                    group.permissions.add(permission)

    return grant
