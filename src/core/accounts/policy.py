"""Who may deactivate and reactivate a member."""

from core.accounts.models import User
from core.errors import Forbidden

VIEW = "core.view_user"
DEACTIVATE = "core.deactivate_user"


def check_deactivating(member: User, by: User) -> Forbidden | None:
    """Return the error that forbids `by` to deactivate or reactivate this member, or `None`."""
    if not by.has_perm(DEACTIVATE):
        return Forbidden("You may not deactivate or reactivate members.")
    if member.pk == by.pk:
        return Forbidden("Nobody deactivates or reactivates themselves.")
    if (member.is_staff or member.is_superuser) and not by.is_superuser:
        return Forbidden("Only a superuser deactivates or reactivates somebody of the staff.")
    return None


def require_deactivating(member: User, by: User) -> None:
    """Raises `Forbidden`."""
    error = check_deactivating(member, by)
    if error is not None:
        raise error
