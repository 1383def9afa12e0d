"""Receivers of the facts of sessions, and answers to the questions of other modules.

Receivers keep their names and module: failed deliveries store them.
"""

from typing import Any

from core.accounts.models import User
from core.facts import Delivery, answers, subscribes
from core.portal.navigation import Entry, NavigationAsked, Section
from modules.materials import queries, services
from modules.materials.events import MaterialAdded, MaterialChanged, MaterialRemoved, SessionAccessAsked
from modules.materials.models import Material
from modules.materials.receivers import panels
from modules.notifications.events import StillHolds
from modules.sessions.events import MaterialsOfSessions, SessionDeleted, SizesOfMaterials

__all__ = ["panels"]


@subscribes(SessionDeleted)
def drop_materials(fact: SessionDeleted, _delivery: Delivery) -> None:
    services.delete_materials_of_session(session_id=fact.session_id)


@answers(MaterialsOfSessions)
def load_materials(question: MaterialsOfSessions) -> dict[int, list[Any]]:
    return dict(
        queries.load_rows_by_session(
            question.audiences, origin=question.origin, note_characters=question.note_characters
        )
    )


@answers(SizesOfMaterials)
def estimate_sizes(question: SizesOfMaterials) -> dict[int, int]:
    return queries.estimate_sizes_by_session(question.session_ids, note_characters=question.note_characters)


@answers(StillHolds)
def check_still_holds(question: StillHolds) -> bool | None:
    """Return whether a fact about a material still holds for its reader; `None` for other facts.

    It does not if the material was deleted, or the reader may no longer see it. A removal always holds.
    """
    fact = question.fact
    if not isinstance(fact, MaterialAdded | MaterialChanged | MaterialRemoved):
        return None
    person = User.objects.filter(pk=question.person_id, is_active=True).first()
    if isinstance(fact, MaterialRemoved):
        return person is not None
    if not Material.objects.filter(pk=fact.material_id).exists():
        return False
    access = SessionAccessAsked(session_id=fact.session_id, viewer=person).ask() if person else None
    return access is not None and access.can_read


@answers(NavigationAsked)
def build_entries(_question: NavigationAsked) -> list[Entry]:
    return [
        Entry.for_list(Section.MODERATION, "materials.material", "Materials", icon="folder_open", rank=30),
        Entry.for_list(Section.RECORDS, "materials.storedfile", "Stored files", icon="draft", rank=80),
    ]
