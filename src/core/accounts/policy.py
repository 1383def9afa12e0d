"""Who may do what to a member: the only place that says so."""

from core.accounts.models import User
from core.errors import Forbidden

VIEW = "core.view_user"
DEACTIVATE = "core.deactivate_user"


def explain_refused_deactivation(member: User, by: User) -> Forbidden | None:
    """Why somebody may neither deactivate nor reactivate this member, or `None` where they may."""
    if not by.has_perm(DEACTIVATE):
        return Forbidden("You may not deactivate or reactivate members.")
    if member.pk == by.pk:
        return Forbidden("Nobody deactivates or reactivates themselves.")
    if (member.is_staff or member.is_superuser) and not by.is_superuser:
        return Forbidden("Only a superuser deactivates or reactivates somebody of the staff.")
    return None


def require_deactivating(member: User, by: User) -> None:
    refusal = explain_refused_deactivation(member, by)
    if refusal is not None:
        raise refusal
