from django.db import migrations

from core.accounts.groups import give_to_moderators

PERMISSIONS = {"material": {"view_material": "Can view material"}}


class Migration(migrations.Migration):
    dependencies = [
        ("materials", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(give_to_moderators("materials", PERMISSIONS), migrations.RunPython.noop)]
