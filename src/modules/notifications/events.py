"""What the notifications ask; of what others tell, they are where it ends."""

from dataclasses import dataclass
from datetime import datetime

from core.facts import Fact, Question
from core.time.icalendar import CalendarEvent


@dataclass(frozen=True, kw_only=True)
class PreferencesChanged(Fact):
    """Sent when a member has chosen anew where to be told of something, in the app or by a link in a mail; the record
    holds the choices before and after."""

    summary_template = "{member} chose where to be told of what"

    member_id: int


@dataclass(frozen=True, kw_only=True)
class StillHolds(Question[bool]):
    """Is what this fact says still worth telling this person? Asked when a fact is served late, and before it is
    mailed.

    Answered by the module that published it. With nobody to tell, a person rather hears a thing too late than never.
    """

    fact: Fact
    person_id: int

    def default(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class People:
    """Who belongs to a session now. Of one that is hidden, no text is told but its `title`."""

    title: str
    creator_id: int
    participant_ids: tuple[int, ...]
    is_hidden: bool = False


@dataclass(frozen=True, kw_only=True)
class PeopleOfSession(Question[People | None]):
    """Who belongs to this session? With nobody to tell, nobody is notified."""

    session_id: int

    def default(self) -> People | None:
        return None


@dataclass(frozen=True, kw_only=True)
class SessionNow:
    """What holds of a session for one person: what a mail about it says beside the news.

    `status` is in words ("waiting for approval"). Where `is_visible` is false, they may not read of it any more what
    they have not been told: a session that was hidden, and that they are not in. `event` is what belongs into that
    person's calendar, and `is_attended` whether it still belongs there; both tell nothing where the person never had
    it in a calendar (`event` is `None`: they have only asked to join, or it was never approved).
    """

    title: str
    starts_at: datetime
    ends_at: datetime
    status: str
    event: CalendarEvent | None
    is_attended: bool
    is_visible: bool


@dataclass(frozen=True, kw_only=True)
class SessionNowAsked(Question[SessionNow | None]):
    """What holds of this session for this person now? With nobody to tell, a mail says the news alone.

    Answered for one that was deleted, too: as it was last.
    """

    session_id: int
    person_id: int

    def default(self) -> SessionNow | None:
        return None
