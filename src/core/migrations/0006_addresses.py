from collections.abc import Iterator
from typing import Any

from django.db import migrations

from core.accounts.models import set_aside_key
from core.text.email_addresses import InvalidAddress, build_address_key, normalize_address, normalize_address_if_valid

# Not copied into this migration: an account is found by the key that the running code builds, so what is stored has to
# follow its rules. Whoever changes these rules has to migrate the stored keys once more.


def normalize_stored_addresses(apps: Any, schema_editor: Any) -> None:
    users = apps.get_model("core", "User").objects.using(schema_editor.connection.alias)
    changed = list(changes_of(users))
    # The key that one gets may be the one that another has still.
    users.filter(pk__in=[pk for pk, _, _ in changed]).update(email_key=None)
    for pk, email, key in changed:
        users.filter(pk=pk).update(email=email, email_key=key)


def changes_of(users: Any) -> Iterator[tuple[int, str, str]]:
    """Primary key, address and key of the address of each account that is not stored as it will be, the older ones first."""
    taken: set[str] = set()
    rows = users.exclude(email="").order_by("date_joined", "pk").values_list("pk", "email", "email_key")
    for pk, email, before in rows.iterator():
        normalized, key = new_values(pk, email)
        if key in taken:
            normalized, key = email, set_aside_key(pk, email)
        taken.add(key)
        if (normalized, key) != (email, before):
            yield pk, normalized, key


def new_values(pk: int, email: str) -> tuple[str, str]:
    try:
        return normalize_address(email), build_address_key(email)
    except InvalidAddress:
        return email, build_address_key(email) if email.isascii() else set_aside_key(pk, email)


def normalize_addresses_of_mails(apps: Any, schema_editor: Any) -> None:
    mails = apps.get_model("core", "Mail").objects.using(schema_editor.connection.alias)
    for pk, address in mails.filter(address__regex="[^ -~]").values_list("pk", "address"):
        mails.filter(pk=pk).update(address=normalize_address_if_valid(address))


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0005_moderators"),
    ]
    operations = [
        migrations.RunPython(normalize_stored_addresses, migrations.RunPython.noop),
        migrations.RunPython(normalize_addresses_of_mails, migrations.RunPython.noop),
    ]
