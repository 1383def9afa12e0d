"""Accounts that somebody has to look after, found by `manage.py check --database default`. The ids stay what they
are."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004
from django.db import connections

from core.accounts.models import SET_ASIDE, User
from core.text.email_addresses import InvalidAddress, build_address_key, get_deliverable_address

# How many accounts a message names.
MOST_NAMED = 100
MOST_VALUES = 500


@register(Tags.database)
def check_addresses(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Whose address was set aside when addresses came to be stored in their normal form."""
    database = "default"
    if database not in (databases or ()) or not _has_members(database):
        return []
    second, unreachable, free = [], [], []
    for member, older in _set_aside(database):
        if older is not None:
            second.append(f"{_format_account(member)} (the older is {_format_account(older)})")
        elif _is_deliverable(member.email):
            free.append(_format_account(member))
        else:
            unreachable.append(_format_account(member))
    return [*_check_second_accounts(second), *_check_unreachable_accounts(unreachable), *_check_freed_addresses(free)]


def _set_aside(database: str) -> list[tuple[User, User | None]]:
    """Each account whose address was set aside, with the one that holds the mailbox, if any does."""
    users = User.objects.using(database).order_by("pk").only("username", "email", "email_key")
    members = list(users.filter(email_key__startswith=SET_ASIDE))
    keys = sorted({build_address_key(member.email) for member in members})
    # One query for all of them, but for what a database takes of values in one.
    holders: dict[str | None, User] = {}
    for start in range(0, len(keys), MOST_VALUES):
        some = keys[start : start + MOST_VALUES]
        holders.update((user.email_key, user) for user in users.filter(email_key__in=some))
    return [(member, holders.get(build_address_key(member.email))) for member in members]


def _is_deliverable(address: str) -> bool:
    try:
        get_deliverable_address(address)
    except InvalidAddress:
        return False
    return True


def _check_second_accounts(accounts: list[str]) -> list[CheckMessage]:
    if not accounts:
        return []
    return [
        Warning(
            f"The mailbox of an older account is the address of {_join_accounts(accounts)}.",
            hint="Give each another address in the admin, or deactivate it. Until then it is found by its user name "
            "alone, and its mail goes to the mailbox that both have.",
            id="core.W001",
        )
    ]


def _check_unreachable_accounts(accounts: list[str]) -> list[CheckMessage]:
    if not accounts:
        return []
    return [
        Warning(
            f"No mail can be sent to the address of {_join_accounts(accounts)}.",
            hint="Give each another address in the admin, or deactivate it.",
            id="core.W002",
        )
    ]


def _check_freed_addresses(accounts: list[str]) -> list[CheckMessage]:
    if not accounts:
        return []
    return [
        Warning(
            f"Nobody else has the address of {_join_accounts(accounts)} any more.",
            hint="Save each account in the admin, and it is found by its address again.",
            id="core.W003",
        )
    ]


def _has_members(database: str) -> bool:
    """Migrating looks for such accounts, too, before there is a table."""
    return User._meta.db_table in connections[database].introspection.table_names()


def _format_account(member: User) -> str:
    return f'"{member.username}" (id {member.pk})'


def _join_accounts(accounts: list[str]) -> str:
    more = len(accounts) - MOST_NAMED
    return ", ".join(accounts[:MOST_NAMED]) + (f", and {more} more" if more > 0 else "")
