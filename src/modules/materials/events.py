"""The facts that materials publish, and the questions that they ask."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.accounts.presentation import EmailAudience
from core.facts import Fact, Question

if TYPE_CHECKING:
    from core.accounts.models import User


@dataclass(frozen=True, kw_only=True)
class MaterialAdded(Fact):
    """Sent when a material has been added to a session, with its file stored if it has one."""

    summary_template = "{actor} added the material {title}"

    material_id: int
    session_id: int
    title: str
    uploader_id: int


@dataclass(frozen=True, kw_only=True)
class MaterialChanged(Fact):
    """Sent when a material's fields or file have changed; the record holds the fields before and after."""

    summary_template = "{actor} changed the material {title}"

    material_id: int
    session_id: int
    title: str


@dataclass(frozen=True, kw_only=True)
class MaterialRemoved(Fact):
    """Sent when a material has been deleted, by a member or, since its file is lost or has a virus, by the system.

    Not sent for materials that are deleted with their session. Old records have no `uploader_id`.
    """

    summary_template = "{actor} removed the material {title}"
    is_by_system = True

    material_id: int
    session_id: int
    title: str
    uploader_id: int = 0


@dataclass(frozen=True, kw_only=True)
class SessionAccess:
    """What a member may do with the materials of a session."""

    can_read: bool
    can_write: bool
    # The creator and moderators: may change and delete the materials of others.
    can_manage: bool
    # May remove materials in the portal. False for a moderator's own session, unless they are a superuser.
    can_moderate: bool = False
    # Why nothing can be added in the session's status; empty if something can.
    closed_reason: str
    audience: EmailAudience


@dataclass(frozen=True, kw_only=True)
class SessionAccessAsked(Question[SessionAccess | None]):
    """What may this member do with the materials of this session? `None` if it is hidden from them.

    `lock_session`: whoever answers locks the session's row, so that the answer holds until the end of the transaction.
    """

    session_id: int
    viewer: "User"
    lock_session: bool = False

    def default(self) -> SessionAccess | None:
        return None
