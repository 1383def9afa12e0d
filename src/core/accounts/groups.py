"""The groups that migrations make, and what each app gives them."""

from collections.abc import Callable, Mapping

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

MODERATORS = "Moderators"
# Whatever it is called by now, a group that has this permission is one of moderators.
MODERATES = "moderate_session"

# For one app: by the model, the codename and the name of each permission.
Permissions = Mapping[str, Mapping[str, str]]
Step = Callable[[StateApps, BaseDatabaseSchemaEditor], None]


def give_to_moderators(app_label: str, permissions: Permissions) -> Step:
    """A step of a migration that gives the group these permissions of an app; where it was renamed, whichever moderate.

    Django makes permissions after all migrations, which is too late for a group that shall have them: what is not
    there yet is made here, the group itself too.
    """

    def give(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
        content_types = apps.get_model("contenttypes", "ContentType")
        all_permissions = apps.get_model("auth", "Permission")
        all_groups = apps.get_model("auth", "Group").objects
        groups = (
            all_groups.filter(name=MODERATORS)
            or all_groups.filter(permissions__codename=MODERATES).distinct()
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

    return give
