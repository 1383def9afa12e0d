"""Who may do what with the materials of a session. Whoever runs the sessions says who somebody is there."""

from core.accounts.models import User
from core.errors import Forbidden, NotFound, StateForbids
from modules.materials.events import SessionAccess, SessionAccessAsked


def get_access(*, session_id: int, member: User, to_add: bool = False) -> SessionAccess:
    """What a member may do in a session. Raises `NotFound` where they may not know of it.

    With `to_add` the answer holds until the end of the transaction in hand.
    """
    access = SessionAccessAsked(session_id=session_id, viewer=member, to_add=to_add).ask()
    if access is None:
        raise NotFound("There is no such session.")
    return access


def require_reading(access: SessionAccess) -> None:
    if not access.reads:
        raise Forbidden("Only those who are in a session see its materials.")


def require_adding(access: SessionAccess) -> None:
    if not access.writes:
        raise Forbidden("Only the creator and the tutors of a session add materials.")
    require_open(access)


def require_open(access: SessionAccess) -> None:
    if access.closed_because:
        raise StateForbids(access.closed_because)


def require_changing(access: SessionAccess, *, uploader_id: int, member: User) -> None:
    if not (access.manages or (access.writes and uploader_id == member.pk)):
        raise Forbidden("Only who added a material, the creator of the session and moderators may do this.")
