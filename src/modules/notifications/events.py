"""The questions that notifications ask, and the one fact that they publish."""

from dataclasses import dataclass
from datetime import datetime

from core.facts import Fact, Question
from core.time.icalendar import CalendarEvent


@dataclass(frozen=True, kw_only=True)
class PreferencesChanged(Fact):
    """Published when a member has changed their preferences, in the app or by an unsubscribe link. The record has the
    channels before and after."""

    summary_template = "{member} chose where to be told of what"

    member_id: int


@dataclass(frozen=True, kw_only=True)
class StillHolds(Question[bool]):
    """Does this fact still hold for this person? Asked when a delivery is retried, and before the fact is mailed.

    Answered by the module that published it. Without an answer it holds: late news is better than none.
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
