"""What the notifications ask. They tell nothing: they are where facts end."""

from dataclasses import dataclass

from core.facts import Fact, Question


@dataclass(frozen=True, kw_only=True)
class StillHolds(Question[bool]):
    """Is what this fact says still worth telling this person? Asked when a fact is served late.

    Answered by the module that published it. With nobody to tell, a person rather hears a thing too late than never.
    """

    fact: Fact
    person_id: int

    def default(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class People:
    """Who belongs to a session now."""

    title: str
    creator_id: int
    participant_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class PeopleOfSession(Question[People | None]):
    """Who belongs to this session? With nobody to tell, nobody is notified."""

    session_id: int

    def default(self) -> People | None:
        return None
