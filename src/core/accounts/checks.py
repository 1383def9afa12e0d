"""System checks for accounts that need an operator, run by `manage.py check --database default`."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004
from django.db import connections

from core.accounts.models import SET_ASIDE_PREFIX, User
from core.text.email_addresses import InvalidAddress, build_address_key, get_deliverable_address

# How many accounts a message lists.
MAX_LISTED = 100
# Values in one `IN` clause: databases limit the parameters of a query.
MAX_QUERY_VALUES = 500


@register(Tags.database)
def check_addresses(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Warn of accounts whose address was set aside by migration 0006, which normalized addresses."""
    database = "default"
    if database not in (databases or ()) or not _has_user_table(database):
        return []
    duplicate, undeliverable, freed = [], [], []
    for member, older in _list_set_aside_accounts(database):
        if older is not None:
            duplicate.append(f"{_format_account(member)} (the older is {_format_account(older)})")
        elif _is_deliverable(member.email):
            freed.append(_format_account(member))
        else:
            undeliverable.append(_format_account(member))
    return [
        *_warn_of_duplicates(duplicate),
        *_warn_of_undeliverable(undeliverable),
        *_warn_of_freed(freed),
    ]


def _list_set_aside_accounts(database: str) -> list[tuple[User, User | None]]:
    """List the accounts whose address was set aside, each with the account that has the same mailbox, if any."""
    users = User.objects.using(database).order_by("pk").only("username", "email", "email_key")
    members = list(users.filter(email_key__startswith=SET_ASIDE_PREFIX))
    keys = sorted({build_address_key(member.email) for member in members})
    holders: dict[str | None, User] = {}
    for start in range(0, len(keys), MAX_QUERY_VALUES):
        chunk = keys[start : start + MAX_QUERY_VALUES]
        holders.update((user.email_key, user) for user in users.filter(email_key__in=chunk))
    return [(member, holders.get(build_address_key(member.email))) for member in members]


def _is_deliverable(address: str) -> bool:
    try:
        get_deliverable_address(address)
    except InvalidAddress:
        return False
    return True


def _warn_of_duplicates(accounts: list[str]) -> list[CheckMessage]:
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


def _warn_of_undeliverable(accounts: list[str]) -> list[CheckMessage]:
    if not accounts:
        return []
    return [
        Warning(
            f"No mail can be sent to the address of {_join_accounts(accounts)}.",
            hint="Give each another address in the admin, or deactivate it.",
            id="core.W002",
        )
    ]


def _warn_of_freed(accounts: list[str]) -> list[CheckMessage]:
    if not accounts:
        return []
    return [
        Warning(
            f"Nobody else has the address of {_join_accounts(accounts)} any more.",
            hint="Save each account in the admin, and it is found by its address again.",
            id="core.W003",
        )
    ]


def _has_user_table(database: str) -> bool:
    """Whether the table exists: `migrate` runs this check before it creates it."""
    return User._meta.db_table in connections[database].introspection.table_names()


def _format_account(member: User) -> str:
    return f'"{member.username}" (id {member.pk})'


def _join_accounts(accounts: list[str]) -> str:
    more = len(accounts) - MAX_LISTED
    return ", ".join(accounts[:MAX_LISTED]) + (f", and {more} more" if more > 0 else "")
