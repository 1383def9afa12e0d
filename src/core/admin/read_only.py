"""The base of admins that change nothing, since changes go through services."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from core.accounts.models import User
from core.portal.lists import PortalAdmin


class ReadOnlyAdmin(PortalAdmin):
    """An admin without permission to add, change or delete."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def get_acting_member(request: HttpRequest) -> User:
    """Return the member who is logged in to the admin. Raises `PermissionDenied`."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
