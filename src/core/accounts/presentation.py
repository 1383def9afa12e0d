"""A member as others see them (docs/contract.md, "People")."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from core.accounts.models import User


class UserRow(TypedDict):
    """The documented user object, keys in the documented order."""

    id: int
    username: str
    first_name: str
    last_name: str
    email: str
    date_joined: datetime


# The fields of a related user that `present_user_values` needs.
USER_FIELDS = ("id", "username", "first_name", "last_name", "email", "date_joined")


@dataclass(frozen=True, kw_only=True)
class EmailAudience:
    """The members whose e-mail addresses a viewer may read in one response: the viewer, and `others`, by id.

    Former participants are not among the others.
    """

    viewer_id: int
    others: frozenset[int] = frozenset()

    def may_read(self, user_id: int) -> bool:
        return user_id == self.viewer_id or user_id in self.others


def present_user(user: User, audience: EmailAudience) -> UserRow:
    """Return the user object of the API, with the address only if the audience may read it."""
    return {
        "id": user.pk,
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email if audience.may_read(user.pk) else "",
        "date_joined": user.date_joined,
    }


def present_user_values(values: Mapping[str, Any], prefix: str, audience: EmailAudience) -> UserRow:
    """Like `present_user`, from a row of `QuerySet.values()` whose keys for this user begin with `prefix`."""
    user_id = values[f"{prefix}id"]
    return {
        "id": user_id,
        "username": values[f"{prefix}username"],
        "first_name": values[f"{prefix}first_name"],
        "last_name": values[f"{prefix}last_name"],
        "email": values[f"{prefix}email"] if audience.may_read(user_id) else "",
        "date_joined": values[f"{prefix}date_joined"],
    }
