"""Reasons to begin with; superusers change them in the admin."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

TEMPLATES = [
    (
        "Says too little",
        (
            "The description does not say yet what participants will learn and what they need to bring along. "
            "Please offer the session again with a few more sentences."
        ),
    ),
    (
        "Does not belong here",
        (
            "This is not a learning session: nobody teaches and nobody learns in it. Please offer what you would like to "
            "teach."
        ),
    ),
    (
        "Advertises",
        (
            "Sessions are free and advertise nothing. Please offer the session again without prices, products and links "
            "to shops."
        ),
    ),
    (
        "Contact details in public",
        (
            "Every member can read the description. Please leave out telephone numbers, addresses and links to meetings, "
            "and share them with your participants as a material."
        ),
    ),
    (
        "Offered twice",
        "You have offered this session once already. One of the two is enough: members can find it there.",
    ),
    (
        "Too soon",
        "The start is too close for others to find the session and ask to join. Please offer it again for a later day.",
    ),
]


def write_templates(apps: StateApps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    templates = apps.get_model("learning_sessions", "ReasonTemplate")
    for rank, (title, text) in enumerate(TEMPLATES, start=1):
        templates.objects.get_or_create(title=title, defaults={"text": text, "rank": rank * 10})


class Migration(migrations.Migration):
    dependencies = [("learning_sessions", "0006_decisions")]
    operations = [migrations.RunPython(write_templates, migrations.RunPython.noop)]
