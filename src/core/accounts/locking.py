"""The row lock of a member, under which their quotas are checked."""

from core.accounts.models import User


def lock_member(member_id: int) -> None:
    """Lock the row of a member until the end of the transaction, so that their quotas are checked one at a time."""
    User.objects.select_for_update(no_key=True).filter(pk=member_id).first()
