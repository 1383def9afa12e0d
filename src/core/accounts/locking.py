"""Taking hold of a member before deciding how much more they may have."""

from core.accounts.models import User


def lock_member(member_id: int) -> None:
    """Let nobody else who asks for it decide on what the member has until the end of the transaction."""
    User.objects.select_for_update(no_key=True).filter(pk=member_id).first()
