"""Accounts that somebody has to look after, found by `manage.py check --database default`. The ids stay what they
are."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004
from django.db import connections

from core.accounts.models import SET_ASIDE, User
from core.addresses import address_key

# How many accounts a message names.
MOST_NAMED = 100


@register(Tags.database)
def check_addresses(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Whose address was set aside when addresses came to be stored in their normal form."""
    database = "default"
    if database not in (databases or ()) or not _has_members(database):
        return []
    second, unreachable = [], []
    members = User.objects.using(database).filter(email_key__startswith=SET_ASIDE).order_by("pk")
    for member in members.only("username", "email"):
        key = address_key(member.email)
        older = User.objects.using(database).filter(email_key=key).only("username").first()
        if older is None and not member.email.isascii():
            unreachable.append(_named(member))
        else:
            second.append(f"{_named(member)}{f' (the older is {_named(older)})' if older else ''}")
    return [*_second_accounts(second), *_unreachable_accounts(unreachable)]


def _second_accounts(accounts: list[str]) -> list[CheckMessage]:
    if not accounts:
        return []
    return [
        Warning(
            f"The mailbox of an older account is the address of {_listed(accounts)}.",
            hint="Give each another address in the admin, or deactivate it. Until then it is found by its user name "
            "alone, and its mail goes to the mailbox that both have.",
            id="core.W001",
        )
    ]


def _unreachable_accounts(accounts: list[str]) -> list[CheckMessage]:
    if not accounts:
        return []
    return [
        Warning(
            f"No mail can be sent to the address of {_listed(accounts)}.",
            hint="Give each another address in the admin, or deactivate it.",
            id="core.W002",
        )
    ]


def _has_members(database: str) -> bool:
    """Migrating looks for such accounts, too, before there is a table."""
    return User._meta.db_table in connections[database].introspection.table_names()


def _named(member: User) -> str:
    return f'"{member.username}" (id {member.pk})'


def _listed(accounts: list[str]) -> str:
    more = len(accounts) - MOST_NAMED
    return ", ".join(accounts[:MOST_NAMED]) + (f", and {more} more" if more > 0 else "")
