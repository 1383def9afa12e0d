"""What the materials tell, and what they ask."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.accounts.presentation import EmailAudience
from core.facts import Fact, Question

if TYPE_CHECKING:
    from core.accounts.models import User


@dataclass(frozen=True, kw_only=True)
class MaterialAdded(Fact):
    """Sent when a material has been added to a session, with its bytes in place if it has any."""

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
    """Sent when somebody has deleted a material, or the system has, since its file is lost or has a virus. Not for
    those that went with their session.

    Old records do not say who had added it.
    """

    summary_template = "{actor} removed the material {title}"
    is_by_system = True

    material_id: int
    session_id: int
    title: str
    uploader_id: int = 0


@dataclass(frozen=True, kw_only=True)
class SessionAccess:
    """What somebody may do with the materials of a session."""

    reads: bool
    writes: bool
    # The creator and moderators: may change and delete what others uploaded.
    manages: bool
    # As a moderator, in the portal: nobody moderates their own session, but for superusers.
    moderates: bool = False
    # Why nothing can be added in the state that the session is in; empty where something can.
    closed_because: str
    audience: EmailAudience


@dataclass(frozen=True, kw_only=True)
class SessionAccessAsked(Question[SessionAccess | None]):
    """What may this member do with the materials of this session? `None`: they may not know that it exists.

    `to_add` is true when the asker adds something in the transaction in which it asks: until that ends, the session
    must neither go away nor change its state (who answers locks its row).
    """

    session_id: int
    viewer: "User"
    to_add: bool = False

    def default(self) -> SessionAccess | None:
        return None
