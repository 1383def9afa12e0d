"""Who may do what with the materials of a session. The module `sessions` answers what a member is in a session."""

from core.accounts.models import User
from core.errors import Forbidden, NotFound, StateForbids
from modules.materials.events import SessionAccess, SessionAccessAsked


def get_access(*, session_id: int, member: User, lock_session: bool = False) -> SessionAccess:
    """Return what a member may do with a session's materials. Raises `NotFound` if the session is hidden from them.

    With `lock_session`, the answer holds until the end of the current transaction.
    """
    access = SessionAccessAsked(session_id=session_id, viewer=member, lock_session=lock_session).ask()
    if access is None:
        raise NotFound("There is no such session.")
    return access


def require_reading(access: SessionAccess) -> None:
    if not access.can_read:
        raise Forbidden("Only those who are in a session see its materials.")


def require_adding(access: SessionAccess) -> None:
    if not access.can_write:
        raise Forbidden("Only the creator and the tutors of a session add materials.")
    require_open(access)


def require_open(access: SessionAccess) -> None:
    if access.closed_reason:
        raise StateForbids(access.closed_reason)


def require_changing(access: SessionAccess, *, uploader_id: int, member: User) -> None:
    if not (access.can_manage or (access.can_write and uploader_id == member.pk)):
        raise Forbidden("Only who added a material, the creator of the session and moderators may do this.")
