"""A list that shows and never changes: changes go through services."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from core.accounts.models import User
from core.portal.lists import PortalAdmin


class ReadOnlyAdmin(PortalAdmin):
    """Lists and pages without a way to add, change or delete."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def get_acting_member(request: HttpRequest) -> User:
    """The member at the admin, as services want to know them."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
