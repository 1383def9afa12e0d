from django.db import migrations

from core.accounts.groups import give_to_moderators

PERMISSIONS = {
    "user": {
        "view_user": "Can view member",
        "deactivate_user": "Can deactivate and reactivate members",
    }
}


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0004_rights_and_actors"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(give_to_moderators("core", PERMISSIONS), migrations.RunPython.noop)]
